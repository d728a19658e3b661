const lineFeed = 0x0a;

/**
 * The last bytes of a stream, addressed by their place in it (the first byte ever is 0). Appending and
 * reading copy; nothing else is kept.
 */
export class ByteRing {
  readonly #bytes: Uint8Array;
  #end = 0;

  constructor(capacityBytes: number) {
    this.#bytes = new Uint8Array(capacityBytes);
  }

  /** Place of the oldest byte that is kept. */
  get start(): number {
    return Math.max(0, this.#end - this.#bytes.length);
  }

  /** Place of the next byte. */
  get end(): number {
    return this.#end;
  }

  append(bytes: Uint8Array): void {
    const capacity = this.#bytes.length;
    const kept = bytes.subarray(Math.max(0, bytes.length - capacity));
    const at = (this.#end + bytes.length - kept.length) % capacity;
    const first = Math.min(kept.length, capacity - at);
    this.#bytes.set(kept.subarray(0, first), at);
    this.#bytes.set(kept.subarray(first), 0);
    this.#end += bytes.length;
  }

  /** A copy of at most `maxBytes` from `from` on, which has to be between `start` and `end`. */
  read(from: number, maxBytes: number): Uint8Array {
    const capacity = this.#bytes.length;
    const length = Math.min(maxBytes, this.#end - from);
    const copy = new Uint8Array(length);
    const at = from % capacity;
    const first = Math.min(length, capacity - at);
    copy.set(this.#bytes.subarray(at, at + first));
    copy.set(this.#bytes.subarray(0, length - first), first);
    return copy;
  }

  /** Place of the first line that is kept whole; of the oldest byte where no line begins. */
  lineStart(): number {
    const { start, end } = this;
    if (start === 0) return 0;
    const capacity = this.#bytes.length;
    // The byte before the oldest is gone, so whether a line begins there is not known.
    for (let place = start; place < end; place += 1) {
      if (this.#bytes[place % capacity] === lineFeed) return place + 1 < end ? place + 1 : start;
    }
    return start;
  }
}
