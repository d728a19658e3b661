const binMs = 10;
const bins = 50;
/** Less says nothing yet. */
const leastBins = 15;
/** Enough to see a fall in, and a few pictures. */
const recentBins = 20;

/**
 * Bit rate over the last 500 ms of a clock, in bins of 10 ms: the acknowledged rate on the viewer's clock
 * (draft-ietf-rmcat-gcc-02 §5.5's R_hat), or what was offered on ours. Allocates nothing.
 */
export class RateWindow {
  readonly #bytes = new Float64Array(bins);
  #first = Number.NaN;
  #newest = Number.NaN;

  /** Undefined until 150 ms were seen. */
  get bps(): number | undefined {
    return this.#over(bins);
  }

  /** Over the last 200 ms. */
  get recentBps(): number | undefined {
    return this.#over(recentBins);
  }

  add(atMs: number, bytes: number): void {
    const bin = Math.floor(atMs / binMs);
    if (Number.isNaN(this.#newest)) {
      this.#first = bin;
      this.#newest = bin;
    }
    if (bin <= this.#newest - bins) return;
    const empty = Math.min(bin - this.#newest, bins);
    for (let step = 0; step < empty; step += 1) this.#bytes[mod(bin - step)] = 0;
    this.#newest = Math.max(this.#newest, bin);
    // What came in the very first bin belongs to the time before it.
    if (bin !== this.#first) this.#bytes[mod(bin)] = (this.#bytes[mod(bin)] ?? 0) + bytes;
  }

  restart(): void {
    this.#bytes.fill(0);
    this.#first = Number.NaN;
    this.#newest = Number.NaN;
  }

  #over(most: number): number | undefined {
    const seen = Math.min(this.#newest - this.#first, most);
    if (!(seen >= leastBins)) return undefined;
    let bytes = 0;
    for (let back = 0; back < seen; back += 1) bytes += this.#bytes[mod(this.#newest - back)] ?? 0;
    return (bytes * 8_000) / (seen * binMs);
  }
}

function mod(bin: number): number {
  return ((bin % bins) + bins) % bins;
}
