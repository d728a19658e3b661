import type { ByteRing } from './byte-ring.ts';
import { type ConsoleMessage, maxConsoleMessageBytes } from './console-messages.ts';

/** Where a console is reached. */
export interface ConsoleLink {
  /** Sends bytes of the line, and calls `sent` when it has room for more. */
  send(bytes: Uint8Array, sent: () => void): void;
  tell(message: ConsoleMessage): void;
}

/**
 * One console's place in the line's last bytes. Nothing is queued for it: it has one message on its way
 * at a time, and one that falls behind what the ring keeps misses its own oldest bytes.
 */
export class ConsoleReader {
  readonly #ring: ByteRing;
  readonly #link: ConsoleLink;
  readonly #onMissed: (bytes: number) => void;
  #place: number;
  #sending = false;
  #closed = false;

  constructor(options: {
    readonly ring: ByteRing;
    readonly link: ConsoleLink;
    readonly onMissed: (bytes: number) => void;
  }) {
    this.#ring = options.ring;
    this.#link = options.link;
    this.#onMissed = options.onMissed;
    this.#place = options.ring.lineStart();
  }

  /** Bytes that it has not been sent yet. */
  get behindBytes(): number {
    return this.#ring.end - this.#place;
  }

  /** Sends what there is, as fast as the link takes it. */
  pump(): void {
    if (this.#sending || this.#closed) return;
    const missed = this.#ring.start - this.#place;
    if (missed > 0) {
      this.#place += missed;
      this.#onMissed(missed);
      this.#link.tell({ type: 'missed', bytes: missed });
    }
    if (this.behindBytes === 0) return;
    const bytes = this.#ring.read(this.#place, maxConsoleMessageBytes);
    this.#place += bytes.length;
    this.#sending = true;
    this.#link.send(bytes, () => {
      this.#sending = false;
      this.pump();
    });
  }

  close(): void {
    this.#closed = true;
  }
}
