const bucketMs = 1_000;
const buckets = 10;

/**
 * How much longer than usual packets are under way: the delay of each (arrival − sending, two clocks) over the least of
 * the last ten seconds. The one second with the very least does not count: a process that was held up between sending
 * a packet and noting when leaves a delay that no packet can have. Allocates nothing.
 */
export class QueueDelay {
  readonly #least = new Float64Array(buckets).fill(Number.POSITIVE_INFINITY);
  #bucket = Number.NaN;
  #baseMs = Number.POSITIVE_INFINITY;

  /** Takes a packet; how much longer than usual it was under way, in ms. */
  add(sentMs: number, arrivedMs: number): number {
    const bucket = Math.floor(sentMs / bucketMs);
    const delayMs = arrivedMs - sentMs;
    if (bucket > this.#bucket || Number.isNaN(this.#bucket)) this.#turn(bucket);
    const slot = bucket % buckets;
    if (bucket > this.#bucket - buckets && delayMs < (this.#least[slot] ?? 0)) {
      this.#least[slot] = delayMs;
      this.#baseMs = this.#secondLeast();
    }
    return Math.max(delayMs - this.#baseMs, 0);
  }

  restart(): void {
    this.#least.fill(Number.POSITIVE_INFINITY);
    this.#bucket = Number.NaN;
  }

  #turn(bucket: number): void {
    const passed = Number.isNaN(this.#bucket) ? buckets : Math.min(bucket - this.#bucket, buckets);
    for (let step = 0; step < passed; step += 1) {
      this.#least[(bucket - step + buckets) % buckets] = Number.POSITIVE_INFINITY;
    }
    this.#bucket = bucket;
  }

  /** The least while there is one only. */
  #secondLeast(): number {
    let least = Number.POSITIVE_INFINITY;
    let second = Number.POSITIVE_INFINITY;
    for (const delayMs of this.#least) {
      if (delayMs < least) {
        second = least;
        least = delayMs;
      } else if (delayMs < second) second = delayMs;
    }
    return second === Number.POSITIVE_INFINITY ? least : second;
  }
}
