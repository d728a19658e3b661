import type { DestinationStream } from 'pino';

export interface LogRingOptions {
  /** Lines kept; 2,000 unless told otherwise. */
  readonly capacity?: number;
  /** Where every line goes as well, e.g. standard error. */
  readonly next?: DestinationStream;
}

/** A line longer than this is cut, so that the ring's memory has a bound (about 8 MiB at 2,000 lines). */
const maxLineLength = 4_096;

/**
 * The last log lines in memory, for `earshot logs`: a destination for `createLog`, in front of the
 * real one.
 */
export class LogRing implements DestinationStream {
  readonly #capacity: number;
  readonly #next: DestinationStream | undefined;
  readonly #lines: string[] = [];
  /** Index of the oldest line once the ring is full. */
  #oldest = 0;
  readonly #listeners = new Set<(line: string) => void>();

  constructor({ capacity = 2_000, next }: LogRingOptions = {}) {
    this.#capacity = capacity;
    this.#next = next;
  }

  /** Takes one or more whole lines, as pino writes them. */
  write(text: string): void {
    this.#next?.write(text);
    for (const line of text.split('\n')) {
      if (line !== '') this.#push(line.length > maxLineLength ? cut(line) : line);
    }
  }

  /** The last `count` lines at most, newest last, without line ends. */
  recent(count: number): readonly string[] {
    const ordered = [...this.#lines.slice(this.#oldest), ...this.#lines.slice(0, this.#oldest)];
    return count <= 0 ? [] : ordered.slice(-count);
  }

  /**
   * Calls `listener` with each new line until the returned function is called. A listener must not
   * log: it would be called again.
   */
  follow(listener: (line: string) => void): () => void {
    // A function of its own, so that following twice with the same listener ends twice.
    const own = (line: string): void => listener(line);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Listeners that follow now. */
  get followers(): number {
    return this.#listeners.size;
  }

  #push(line: string): void {
    if (this.#lines.length < this.#capacity) {
      this.#lines.push(line);
    } else {
      this.#lines[this.#oldest] = line;
      this.#oldest = (this.#oldest + 1) % this.#capacity;
    }
    for (const listener of this.#listeners) listener(line);
  }
}

/** A line that is cut stays one JSON object. */
function cut(line: string): string {
  return JSON.stringify({
    level: 'warn',
    msg: 'log line was too long',
    start: line.slice(0, 1_024),
  });
}
