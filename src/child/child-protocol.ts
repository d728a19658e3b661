import * as v from 'valibot';
import type { ErrorCode } from '../errors/catalogue.ts';
import { EarshotError, isEarshotError, messageOf } from '../errors/earshot-error.ts';
import type { Channel } from '../ipc/channel.ts';
import type { ChildRole, ControlMessage } from '../ipc/messages.ts';
import type { Log } from '../log/log.ts';

/** What every child gets from its process. */
export interface ChildProcessContext {
  readonly version: string;
  readonly log: Log;
  /** Called once, when the process should end with this code. */
  readonly onEnd: (exitCode: number) => void;
}

export interface ChildProtocolOptions<C> extends ChildProcessContext {
  readonly role: ChildRole;
  readonly channel: Pick<Channel, 'send'>;
  /** What its messages call the library that drives the device, such as ALSA. */
  readonly library: string;
  /** The code of a failure that has none of its own. */
  readonly failure: ErrorCode;
  /** Throws CONFIG_INVALID; what it returns is what the device runs with. */
  readonly parse: (fields: Readonly<Record<string, unknown>>) => C | Promise<C>;
  /** The first configuration: starts the device's thread. */
  readonly open: (config: C) => void;
  /** Each later one; resolves when it is in force. */
  readonly configure: (config: C) => Promise<void>;
  /** Ends the device's thread; false when that hangs. */
  readonly close: () => boolean;
}

/** Exit code that says that no other start will help (EX_CONFIG). */
const exitBadConfig = 78;

/** How long a change may take until it is answered; a driver that hangs holds it up, main does not wait. */
const configureDeadlineMs = 1_000;

/** A call to the device's library that has not returned for so long is reported, and then ends the process. */
const busyReportMs = 5_000;
const busyExitMs = 60_000;

/**
 * What is the same in each child's part of the protocol: it says hello, takes configurations one after
 * another, answers them, ends, and watches the thread that calls the device's library.
 */
export class ChildProtocol<C extends { readonly device: string }> {
  readonly #options: ChildProtocolOptions<C>;
  #config: C | undefined;
  #isOpen = false;
  #reportedBusy = false;
  #lastChange: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(options: ChildProtocolOptions<C>) {
    this.#options = options;
  }

  /** What the device runs with; undefined before the first configuration. */
  get config(): C | undefined {
    return this.#config;
  }

  /** Says hello; from then on the main process drives. */
  start(): void {
    const { channel, role, version } = this.#options;
    channel.send('hello', { role, pid: process.pid, version });
  }

  /** Closes the device; idempotent. */
  stop(): void {
    this.#ended = true;
    if (!this.#isOpen) return;
    this.#isOpen = false;
    if (!this.#options.close()) {
      const { log, library } = this.#options;
      log.error({ device: this.#config?.device, library }, 'the device thread hangs');
    }
  }

  /** Takes a message of the main process. */
  receive(message: ControlMessage): void {
    if (message.type === 'configure') {
      const { id, config } = message.body;
      this.#lastChange = this.#lastChange
        .then(() => this.#configure(id, config))
        .catch((error: unknown) => this.#fail(id, error));
    } else if (message.type === 'stop') {
      this.#end(0);
    }
  }

  event({ name, data }: { readonly name: string; readonly data: Record<string, unknown> }): void {
    this.#options.channel.send('event', { name, data });
  }

  /**
   * Looks at how long the thread has been at work without sleeping; true while it is stuck.
   * That is reported as a lost device, and ends the process when it lasts.
   */
  watch(busyMs: number): boolean {
    const blocked = busyMs > busyReportMs;
    const device = this.#config?.device ?? '';
    if (blocked && !this.#reportedBusy) {
      const { log, library } = this.#options;
      const error = `a call to ${library} does not return`;
      this.event({ name: 'device-lost', data: { device, error, retryMs: 0 } });
      log.error({ device, library, busyMs }, 'a call to the device does not return');
    }
    this.#reportedBusy = blocked;
    // A new process gets a new connection to whatever hangs; a minute is too slow to count as a crash loop.
    if (busyMs > busyExitMs) this.#end(1);
    return blocked;
  }

  async #configure(id: number, fields: Readonly<Record<string, unknown>>): Promise<void> {
    if (this.#ended) return;
    const { channel, parse, open, configure } = this.#options;
    const effective = await parse(fields);
    if (this.#ended) return;
    if (this.#isOpen) {
      await withinDeadline(configure(effective));
    } else {
      open(effective);
      this.#isOpen = true;
    }
    const type = this.#config === undefined ? 'ready' : 'configured';
    this.#config = effective;
    channel.send(type, { id, effective: { ...effective } });
  }

  /** A configuration that cannot be: said to main; fatal when the process has no other to run with. */
  #fail(id: number, error: unknown): void {
    const known = isEarshotError(error)
      ? error
      : new EarshotError(this.#options.failure, messageOf(error), { cause: error });
    this.#options.log.error({ code: known.code, error: known.message }, 'configuration refused');
    this.#options.channel.send('error', { id, code: known.code, message: known.message });
    if (!this.#isOpen) this.#end(known.exitCode === exitBadConfig ? exitBadConfig : 1);
  }

  #end(exitCode: number): void {
    if (this.#ended) return;
    this.stop();
    this.#options.onEnd(exitCode);
  }
}

/** Throws CONFIG_INVALID naming the key, the value and what is allowed. */
export function parseConfig<const S extends v.GenericSchema>(
  schema: S,
  fields: Readonly<Record<string, unknown>>,
): v.InferOutput<S> {
  const result = v.safeParse(schema, fields);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const key = v.getDotPath(issue) ?? 'config';
  throw new EarshotError('CONFIG_INVALID', `${key}: ${issue.message}`, {
    details: { key, received: issue.received, expected: issue.expected },
  });
}

async function withinDeadline(change: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, configureDeadlineMs);
  });
  await Promise.race([change, deadline]);
  clearTimeout(timer);
}
