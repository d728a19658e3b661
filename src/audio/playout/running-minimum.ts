const buckets = 10;

/**
 * The smallest value of about the last five seconds, in ten buckets. A bucket also needs a few values
 * before the next begins, so that a sender that pauses (DTX: a packet every 400 ms) does not leave a
 * minimum of one packet. Allocates nothing, costs ten comparisons when a bucket ends.
 */
export class RunningMinimum {
  readonly #minima = new Float64Array(buckets).fill(Number.POSITIVE_INFINITY);
  readonly #bucketMs: number;
  readonly #bucketValues: number;
  #current = 0;
  #sinceMs = 0;
  #values = 0;
  #smallest = Number.POSITIVE_INFINITY;

  constructor({ spanMs, valuesPerBucket }: { spanMs: number; valuesPerBucket: number }) {
    this.#bucketMs = spanMs / buckets;
    this.#bucketValues = valuesPerBucket;
  }

  /** Infinity before the first value. */
  get value(): number {
    return this.#smallest;
  }

  add(nowMs: number, value: number): void {
    if (nowMs - this.#sinceMs >= this.#bucketMs && this.#values >= this.#bucketValues) {
      this.#turn(nowMs);
    }
    this.#values += 1;
    if (value < (this.#minima[this.#current] ?? 0)) this.#minima[this.#current] = value;
    if (value < this.#smallest) this.#smallest = value;
  }

  restart(nowMs: number): void {
    this.#minima.fill(Number.POSITIVE_INFINITY);
    this.#smallest = Number.POSITIVE_INFINITY;
    this.#sinceMs = nowMs;
    this.#values = 0;
  }

  #turn(nowMs: number): void {
    this.#current = (this.#current + 1) % buckets;
    this.#minima[this.#current] = Number.POSITIVE_INFINITY;
    this.#sinceMs = nowMs;
    this.#values = 0;
    let smallest = Number.POSITIVE_INFINITY;
    for (const minimum of this.#minima) if (minimum < smallest) smallest = minimum;
    this.#smallest = smallest;
  }
}
