import { EarshotError } from '../../errors/earshot-error.ts';
import type { ByteRing } from './byte-ring.ts';
import { type ConsoleMessage, consoleWindowBytes } from './console-messages.ts';
import { type ConsoleLink, ConsoleReader } from './console-reader.ts';
import type { PortKeeper } from './port-keeper.ts';
import type { SetSignals } from './serial-port.ts';
import type { SerialStatus } from './serial-status.ts';

/** What a viewer needs of the console it belongs to. */
export interface ViewedConsole {
  readonly port: PortKeeper;
  readonly writer: SerialViewer | undefined;
  setWriter(viewer: SerialViewer | undefined): void;
  refuse(bytes: number): void;
  miss(bytes: number): void;
  remove(viewer: SerialViewer): void;
  sendBreak(ms: number): Promise<unknown>;
  setSignals(change: SetSignals): Promise<void>;
}

/** Progress is told when the queue is empty, and on the way each time this much went. */
const progressBytes = 4 * 1024;

/** One open console: it reads, and writes while it has the writer's place. */
export class SerialViewer {
  readonly id: string;
  readonly #console: ViewedConsole;
  readonly #link: ConsoleLink;
  readonly #reader: ConsoleReader;
  /** Of the port's queue, when this became the writer. */
  #base = 0;
  #refused = 0;
  #told = 0;

  constructor(options: {
    readonly id: string;
    readonly console: ViewedConsole;
    readonly ring: ByteRing;
    readonly link: ConsoleLink;
  }) {
    const { id, console, ring, link } = options;
    this.id = id;
    this.#console = console;
    this.#link = link;
    this.#reader = new ConsoleReader({ ring, link, onMissed: (bytes) => console.miss(bytes) });
  }

  /** Greets the console and sends it the past. */
  begin(status: SerialStatus): void {
    this.tell({
      type: 'hello',
      console: this.id,
      windowBytes: consoleWindowBytes,
      scrollbackBytes: this.#reader.behindBytes,
      status,
    });
    this.pump();
  }

  pump(): void {
    this.#reader.pump();
  }

  tell(message: ConsoleMessage): void {
    this.#link.tell(message);
  }

  /** Asks for the writer's place; `takeover` takes it from whoever has it, who is told. True: it has it now. */
  takeWriter(takeover: boolean): boolean {
    const holder = this.#console.writer;
    if (holder === this) {
      this.tell({ type: 'writer', held: true, reason: '' });
      return true;
    }
    if (holder !== undefined && !takeover) {
      const reason = `The console ${holder.id} writes; \`takeover\` takes its place.`;
      this.tell({ type: 'writer', held: false, reason });
      return false;
    }
    holder?.tell({
      type: 'writer',
      held: false,
      reason: `The console ${this.id} took the writer's place.`,
    });
    this.#base = this.#console.port.accepted;
    this.#refused = 0;
    this.#told = 0;
    this.tell({ type: 'writer', held: true, reason: '' });
    this.#console.setWriter(this);
    return true;
  }

  /** Gives the writer's place up; does nothing without it. */
  releaseWriter(): void {
    if (this.#console.writer !== this) return;
    this.tell({ type: 'writer', held: false, reason: '' });
    this.#console.setWriter(undefined);
  }

  /** Bytes for the line; they belong to the console from now on. Throws SERIAL_NOT_WRITER. */
  write(bytes: Uint8Array): void {
    this.#needWriter('write');
    const { port } = this.#console;
    const refused = bytes.length - port.write(bytes);
    if (refused > 0) {
      this.#console.refuse(refused);
      this.#refused += refused;
      const reason =
        port.state === 'open'
          ? `More than ${consoleWindowBytes} bytes wait for the port.`
          : `The port is not open: ${port.reason}`;
      this.tell({ type: 'refused', bytes: refused, reason });
    }
    this.progress();
  }

  /** Rejects with SERIAL_NOT_WRITER, SERIAL_PORT_CLOSED or SERIAL_SIGNALS_UNSUPPORTED. */
  async sendBreak(ms: number): Promise<void> {
    this.#needWriter('send a break');
    await this.#console.sendBreak(ms);
  }

  /** Rejects as {@link sendBreak}. */
  async setSignals(change: SetSignals): Promise<void> {
    this.#needWriter('set DTR and RTS');
    await this.#console.setSignals(change);
  }

  /** The port's queue moved on. */
  progress(): void {
    const { settled, accepted } = this.#console.port;
    const bytes = Math.max(0, settled - this.#base) + this.#refused;
    const isAll = settled === accepted;
    if (bytes === this.#told || (!isAll && bytes - this.#told < progressBytes)) return;
    this.#told = bytes;
    this.tell({ type: 'taken', bytes });
  }

  /** The port went away with bytes in its queue. */
  dropped(bytes: number): void {
    this.tell({ type: 'refused', bytes, reason: 'The port went away before it took them.' });
    this.progress();
  }

  /** Idempotent. */
  close(): void {
    this.#reader.close();
    this.#console.remove(this);
  }

  #needWriter(what: string): void {
    const { writer } = this.#console;
    if (writer === this) return;
    const who = writer === undefined ? 'nobody does now' : `the console ${writer.id} does`;
    throw new EarshotError(
      'SERIAL_NOT_WRITER',
      `Only the console that writes may ${what}, and ${who}; ask for its place first.`,
    );
  }
}
