/** Bytes on their way to a port, first come first served, never more than fit. */
export class PortQueue {
  readonly #capacityBytes: number;
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Keeps as many of the first bytes as there is room for, and says how many; the array is not copied. */
  add(bytes: Uint8Array): number {
    const taken = Math.min(bytes.length, this.#capacityBytes - this.#bytes);
    if (taken === 0) return 0;
    this.#chunks.push(bytes.subarray(0, taken));
    this.#bytes += taken;
    return taken;
  }

  /** Hands chunk after chunk to `write`, which says how much it took, until one is not taken whole. */
  drain(write: (bytes: Uint8Array) => number): void {
    let done = 0;
    for (const chunk of this.#chunks) {
      const taken = write(chunk);
      this.#bytes -= taken;
      if (taken < chunk.length) {
        this.#chunks[done] = chunk.subarray(taken);
        break;
      }
      done += 1;
    }
    this.#chunks.splice(0, done);
  }

  /** Forgets everything, and says how many bytes that were. */
  clear(): number {
    const bytes = this.#bytes;
    this.#chunks = [];
    this.#bytes = 0;
    return bytes;
  }
}
