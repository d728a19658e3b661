import { StringDecoder } from 'node:string_decoder';

export interface StderrLinesOptions {
  /** Characters of a line that are kept; the rest of it is dropped. */
  readonly maxLineLength: number;
  /** Lines handed out in one second; further ones are counted and reported by a line of their own. */
  readonly maxLinesPerS: number;
  /** A clock in ms. */
  readonly now: () => number;
}

/** Cuts a child's standard error into lines, bounded in length and number whatever it writes. */
export class StderrLines {
  readonly #options: StderrLinesOptions;
  readonly #decoder = new StringDecoder('utf8');
  #partial = '';
  #secondStartMs = Number.NEGATIVE_INFINITY;
  #linesThisSecond = 0;
  #dropped = 0;

  constructor(options: StderrLinesOptions) {
    this.#options = options;
  }

  /** Takes the next bytes; returns the lines they complete. */
  push(chunk: Buffer): string[] {
    const pieces = this.#decoder.write(chunk).split('\n');
    const lines: string[] = [];
    for (const [index, piece] of pieces.entries()) {
      const room = this.#options.maxLineLength + 1 - this.#partial.length;
      if (room > 0) this.#partial += piece.slice(0, room);
      if (index < pieces.length - 1) this.#finishLine(lines);
    }
    return lines;
  }

  /** The stream is over: returns what is left. */
  end(): string[] {
    const lines: string[] = [];
    this.#partial += this.#decoder.end();
    this.#finishLine(lines);
    this.#reportDropped(lines);
    return lines;
  }

  #finishLine(lines: string[]): void {
    const { maxLineLength, maxLinesPerS, now } = this.#options;
    const cut = this.#partial.length > maxLineLength;
    const line = cut ? `${this.#partial.slice(0, maxLineLength)}…` : this.#partial.trimEnd();
    this.#partial = '';
    if (line === '') return;
    const nowMs = now();
    if (nowMs - this.#secondStartMs >= 1_000) {
      this.#reportDropped(lines);
      this.#secondStartMs = nowMs;
      this.#linesThisSecond = 0;
    }
    if (this.#linesThisSecond < maxLinesPerS) {
      this.#linesThisSecond += 1;
      lines.push(line);
    } else {
      this.#dropped += 1;
    }
  }

  #reportDropped(lines: string[]): void {
    if (this.#dropped > 0) lines.push(`(${this.#dropped} more lines were not kept)`);
    this.#dropped = 0;
  }
}
