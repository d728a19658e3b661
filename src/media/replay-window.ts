/** Packets behind the newest that are still told apart (RFC 3711 §3.3.2 asks for at least 64). */
const windowPackets = 1_024;

/**
 * Which packet indices were received, and what index a 16-bit sequence number means (RFC 3711
 * §3.3.1 and §3.3.2). An index is remembered by {@link mark} only, after authentication.
 */
export class ReplayWindow {
  #highest = -1;
  readonly #slots = new Float64Array(windowPackets).fill(-1);

  /** The index (rollover counter × 2¹⁶ + sequence) closest to the highest seen; negative: impossible. */
  indexOf(sequence: number): number {
    if (this.#highest < 0) return sequence;
    const counter = Math.floor(this.#highest / 0x10000);
    const newest = this.#highest % 0x10000;
    const step = sequence - newest;
    if (step > 0x8000) return (counter - 1) * 0x10000 + sequence;
    if (step < -0x8000) return (counter + 1) * 0x10000 + sequence;
    return counter * 0x10000 + sequence;
  }

  /** True for an index received before, or too old to tell. */
  seen(index: number): boolean {
    if (index <= this.#highest - windowPackets) return true;
    return this.#slots[index % windowPackets] === index;
  }

  mark(index: number): void {
    if (index > this.#highest) this.#highest = index;
    this.#slots[index % windowPackets] = index;
  }
}
