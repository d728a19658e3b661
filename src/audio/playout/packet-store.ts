import type { JitterItem } from './playout-step.ts';

/** Packets of 2.5 ms that make up 1.28 s. A power of two. */
const slots = 512;

/**
 * Packets by unwrapped sequence number, in a ring: inserting and taking are one step each, and allocate
 * nothing. Holds numbers within 512 of the newest; knows of those whether they were ever there.
 */
export class PacketStore<P> {
  readonly #items: (JitterItem<P> | undefined)[] = new Array(slots).fill(undefined);
  readonly #sequences = new Float64Array(slots).fill(Number.NEGATIVE_INFINITY);
  readonly #timestamps = new Float64Array(slots);
  #newest = Number.NEGATIVE_INFINITY;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Samples from the beginning of the first packet held to the end of the last; 0 when empty. */
  get span(): number {
    const first = this.firstFrom(Number.NEGATIVE_INFINITY);
    if (first === undefined) return 0;
    let last = this.#newest;
    while (this.at(last) === undefined) last -= 1;
    return this.timestampAt(last) + (this.at(last)?.samples ?? 0) - this.timestampAt(first);
  }

  /** Whether this number was inserted, be it still here or not. */
  knows(sequence: number): boolean {
    return this.#sequences[slotOf(sequence)] === sequence;
  }

  /** False when the number is older than the ring reaches. A packet it has to make way for is gone: see `count`. */
  insert(sequence: number, timestamp: number, item: JitterItem<P>): boolean {
    if (sequence <= this.#newest - slots) return false;
    const slot = slotOf(sequence);
    for (let gone = Math.max(this.#newest, sequence - slots) + 1; gone < sequence; gone += 1) {
      this.#forget(slotOf(gone));
    }
    if (this.#items[slot] === undefined) this.#count += 1;
    this.#items[slot] = item;
    this.#sequences[slot] = sequence;
    this.#timestamps[slot] = timestamp;
    if (sequence > this.#newest) this.#newest = sequence;
    return true;
  }

  /** The lowest number held that is at least `from`; undefined when there is none. Looks at 512 slots at most. */
  firstFrom(from: number): number | undefined {
    if (this.#count === 0) return undefined;
    for (let at = Math.max(from, this.#newest - slots + 1); at <= this.#newest; at += 1) {
      if (this.at(at) !== undefined) return at;
    }
    return undefined;
  }

  at(sequence: number): JitterItem<P> | undefined {
    const slot = slotOf(sequence);
    return this.#sequences[slot] === sequence ? this.#items[slot] : undefined;
  }

  /** Unwrapped timestamp of a packet held. */
  timestampAt(sequence: number): number {
    return this.#timestamps[slotOf(sequence)] ?? 0;
  }

  take(sequence: number): JitterItem<P> | undefined {
    const item = this.at(sequence);
    if (item === undefined) return undefined;
    this.#items[slotOf(sequence)] = undefined;
    this.#count -= 1;
    return item;
  }

  clear(): void {
    this.#items.fill(undefined);
    this.#sequences.fill(Number.NEGATIVE_INFINITY);
    this.#newest = Number.NEGATIVE_INFINITY;
    this.#count = 0;
  }

  #forget(slot: number): void {
    if (this.#items[slot] !== undefined) this.#count -= 1;
    this.#items[slot] = undefined;
    this.#sequences[slot] = Number.NEGATIVE_INFINITY;
  }
}

function slotOf(sequence: number): number {
  return sequence & (slots - 1);
}
