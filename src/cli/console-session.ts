import * as v from 'valibot';
import type { WebSocket } from 'ws';
import {
  type ConsoleMessage,
  consoleMessageSchema,
  maxConsoleMessageBytes,
} from '../control/serial/console-messages.ts';
import { lineText } from '../control/serial/serial-line.ts';
import type { SerialStatus } from '../control/serial/serial-status.ts';
import { EarshotError } from '../errors/earshot-error.ts';
import type { CliTerminal, Ending } from './cli-terminal.ts';
import { type ConsoleAction, ConsoleEscape, consoleActions } from './console-escape.ts';
import { printable } from './text-table.ts';

export interface ConsoleSessionOptions {
  readonly socket: WebSocket;
  readonly terminal: CliTerminal;
  /** For words that are not from the host. */
  readonly tell: (text: string) => void;
  readonly readOnly: boolean;
  readonly takeover: boolean;
  /** The escape key, and how it is written. */
  readonly escapeKey: { readonly byte: number; readonly name: string };
  /** How long to go on reading after the end of input that is no terminal, in ms. */
  readonly waitMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** What the device may take to answer, and to take bytes after the end of input, in ms. */
const answerMs = 10_000;

/**
 * One run of `earshot console`: what is typed goes to the host, what the host says comes out, until a
 * person detaches, the input ends or the device is gone. The terminal is put right in any case.
 */
export class ConsoleSession {
  readonly #options: ConsoleSessionOptions;
  readonly #escape: ConsoleEscape;
  readonly #over = settable<Ending | undefined>();
  readonly #greeted = settable<void>();
  #status: SerialStatus | undefined;
  #held = false;
  #windowBytes = 0;
  #queue: Uint8Array[] = [];
  #sent = 0;
  #taken = 0;
  #lost = 0;
  #lostReason = '';
  #inputEnded = false;
  #lastNotice = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ConsoleSessionOptions) {
    this.#options = options;
    this.#escape = new ConsoleEscape(options.escapeKey.byte);
  }

  /** Rejects with SERIAL_WRITER_HELD, SERIAL_PORT_CLOSED or CLI_NO_ANSWER. */
  async run(): Promise<void> {
    const { socket, terminal, readOnly, signal } = this.#options;
    socket.on('message', (data, isBinary) => this.#received(data, isBinary));
    socket.once('close', (_, reason) => this.#closed(String(reason)));
    socket.resume();
    this.#deadline(answerMs, () => this.#closed('it did not answer in time'));
    const abort = (): void => this.#over.resolve(undefined);
    signal?.addEventListener('abort', abort, { once: true });
    const forget = terminal.onEnding((ending) => this.#over.resolve(ending));
    let ending: Ending | undefined;
    try {
      // Before the first word, so that nobody types into a terminal that is not ready.
      if (terminal.isInteractive) terminal.setRaw(true);
      await Promise.race([this.#greeted.promise, this.#over.promise]);
      clearTimeout(this.#timer);
      if (!readOnly || terminal.isInteractive) this.#listen();
      ending = await this.#over.promise;
    } finally {
      clearTimeout(this.#timer);
      signal?.removeEventListener('abort', abort);
      forget();
      this.#quiet();
    }
    if (ending !== undefined) terminal.end(ending);
    else if (this.#lost > 0 && !terminal.isInteractive) {
      throw new EarshotError(
        'SERIAL_PORT_CLOSED',
        `${this.#lost} bytes did not reach the host: ${this.#lostReason}`,
      );
    }
  }

  /** Begins to take what is typed. */
  #listen(): void {
    const { terminal } = this.#options;
    terminal.input.on('data', (bytes: Uint8Array) => this.#typed(bytes));
    terminal.input.once('end', () => {
      this.#inputEnded = true;
      this.#pump();
    });
  }

  #quiet(): void {
    const { terminal, socket } = this.#options;
    terminal.setRaw(false);
    terminal.input.removeAllListeners('data').removeAllListeners('end');
    terminal.input.pause();
    socket.removeAllListeners('message');
    socket.close();
    // The device closes at once; one that does not is not waited for.
    const timer = setTimeout(() => socket.terminate(), 1_000);
    socket.once('close', () => clearTimeout(timer));
    if (socket.readyState === socket.CLOSED) clearTimeout(timer);
  }

  #typed(bytes: Uint8Array): void {
    if (!this.#options.terminal.isInteractive) {
      this.#send(bytes);
      return;
    }
    for (const input of this.#escape.read(bytes)) {
      if ('bytes' in input) this.#send(input.bytes);
      else if ('action' in input) this.#act(input.action);
      else this.#notice(`"${printable(input.unknown)}" is no command; ${this.#hint()}`);
    }
  }

  #act(action: ConsoleAction): void {
    switch (action) {
      case 'detach':
        this.#over.resolve(undefined);
        return;
      case 'break':
        this.#ask({ type: 'break' });
        return;
      case 'takeover':
        this.#ask({ type: 'writer', wanted: true, takeover: true });
        return;
      case 'help': {
        const { name } = this.#options.escapeKey;
        this.#lastNotice = '';
        const keys = Object.entries(consoleActions).map(
          ([key, { summary }]) => `${name} ${key}  ${summary}`,
        );
        this.#notice([...keys, `${name} ${name}  send ${name} itself`].join('\r\n'));
      }
    }
  }

  #send(bytes: Uint8Array): void {
    if (!this.#held) {
      this.#notice(
        this.#options.readOnly
          ? 'this console only reads (--read-only)'
          : `this console only reads; ${this.#options.escapeKey.name} t takes the writer's place`,
      );
      return;
    }
    this.#queue.push(bytes);
    this.#pump();
  }

  /** Sends what the window has room for; the input rests while more waits. */
  #pump(): void {
    const { socket, terminal } = this.#options;
    for (let [first] = this.#queue; first !== undefined; [first] = this.#queue) {
      const room = Math.min(this.#windowBytes - (this.#sent - this.#taken), maxConsoleMessageBytes);
      if (room <= 0) break;
      const part = first.subarray(0, room);
      socket.send(part);
      this.#sent += part.length;
      if (part.length < first.length) this.#queue[0] = first.subarray(part.length);
      else this.#queue.shift();
    }
    if (this.#queue.length > 0) terminal.input.pause();
    else if (!this.#inputEnded) terminal.input.resume();
    else this.#finish();
  }

  /** The input ended, and all of it is on its way: once it was taken, what the host answers is waited for. */
  #finish(): void {
    const isTaken = this.#taken >= this.#sent;
    const ms = isTaken ? this.#options.waitMs : answerMs;
    this.#deadline(ms, () => {
      if (!isTaken) this.#lose(this.#sent - this.#taken, 'the host does not take them');
      this.#over.resolve(undefined);
    });
  }

  #received(data: WebSocket.RawData, isBinary: boolean): void {
    if (!Buffer.isBuffer(data)) return;
    if (isBinary) {
      this.#options.terminal.write(data);
      return;
    }
    const result = v.safeParse(consoleMessageSchema, parse(data.toString()));
    // One of a later release, which is no use to this one.
    if (result.success) this.#told(result.output);
  }

  #told(message: ConsoleMessage): void {
    switch (message.type) {
      case 'hello':
        this.#hello(message.status, message.windowBytes);
        return;
      case 'state':
        this.#state(message.status);
        return;
      case 'writer':
        this.#writer(message.held, message.reason);
        return;
      case 'taken':
        this.#taken = message.bytes;
        this.#pump();
        return;
      case 'refused':
        this.#lose(message.bytes, message.reason);
        return;
      case 'missed':
        this.#notice(`${message.bytes} bytes of the host are missing here`);
        return;
      case 'error':
        this.#notice(message.message);
        if (this.#status === undefined) this.#fail('SERIAL_TOO_MANY_CONSOLES', message.message);
    }
  }

  #hello(status: SerialStatus, windowBytes: number): void {
    const { terminal, readOnly, takeover } = this.#options;
    this.#windowBytes = windowBytes;
    this.#status = status;
    if (terminal.isInteractive) this.#notice(`${stateText(status)}; ${this.#hint()}`);
    if (readOnly) this.#greeted.resolve();
    else if (!terminal.isInteractive && status.state !== 'open') {
      this.#fail('SERIAL_PORT_CLOSED', status.reason);
    } else this.#ask({ type: 'writer', wanted: true, takeover });
  }

  #state(status: SerialStatus): void {
    const before = this.#status;
    this.#status = status;
    if (before === undefined || stateText(status) === stateText(before)) return;
    this.#notice(stateText(status));
  }

  #writer(held: boolean, reason: string): void {
    const { terminal, readOnly, escapeKey } = this.#options;
    this.#held = held;
    this.#sent = 0;
    this.#taken = 0;
    if (!held && !terminal.isInteractive && !readOnly) {
      this.#fail('SERIAL_WRITER_HELD', `${reason} (--takeover)`);
      return;
    }
    if (!held) this.#notice(`${reason} This console only reads; ${escapeKey.name} t writes.`);
    this.#greeted.resolve();
  }

  #lose(bytes: number, reason: string): void {
    this.#lost += bytes;
    this.#lostReason = reason;
    this.#notice(`lost what was sent: ${reason}`);
  }

  #ask(request: object): void {
    this.#options.socket.send(JSON.stringify(request));
  }

  #fail(
    code: 'SERIAL_WRITER_HELD' | 'SERIAL_PORT_CLOSED' | 'SERIAL_TOO_MANY_CONSOLES',
    message: string,
  ): void {
    this.#over.reject(new EarshotError(code, message));
  }

  #closed(reason: string): void {
    const why = reason === '' ? '' : `: ${reason}`;
    this.#over.reject(new EarshotError('CLI_NO_ANSWER', `The console broke off${why}.`));
  }

  #hint(): string {
    const { name } = this.#options.escapeKey;
    return `${name} . leaves, ${name} ? helps`;
  }

  /** Words that are not the host's, each once until there are others. */
  #notice(text: string): void {
    if (text === this.#lastNotice) return;
    this.#lastNotice = text;
    const end = this.#options.terminal.isInteractive ? '\r\n' : '\n';
    const start = this.#options.terminal.isInteractive ? end : '';
    this.#options.tell(`${start}[earshot: ${text}]${end}`);
  }

  #deadline(ms: number, call: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(call, ms);
  }
}

/** A promise that is settled from outside, once. */
function settable<T>() {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  // Whoever waits is told; that nobody does yet is no fault.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}

function stateText({ port, state, reason, line }: SerialStatus): string {
  const text = state === 'open' ? `${port} ${lineText(line)}` : `${port} is not open: ${reason}`;
  return printable(text);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
