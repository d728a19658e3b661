const groups = 20;
/** Share of the accumulated delay that is kept from group to group. */
const smoothing = 0.9;
/** The slope counts as if it had lasted so many groups at most; with the gain it is compared with a threshold in ms. */
const mostGroups = 60;
const gain = 4;

/**
 * Whether the queue grows: the slope of a line through the smoothed, accumulated group delays over their
 * arrival times, of the last 20 groups (takes the place of draft-ietf-rmcat-gcc-02 §5.3's Kalman filter).
 * Two passes over 20 numbers a group, no allocation.
 */
export class Trendline {
  readonly #times = new Float64Array(groups);
  readonly #delays = new Float64Array(groups);
  #count = 0;
  #firstMs = 0;
  #accumulatedMs = 0;
  #smoothedMs = 0;
  #slope = 0;

  /** Slope times gain, the draft's m(i), in ms; above zero: the queue grows. */
  get trendMs(): number {
    return this.#count < 2 ? 0 : this.#slope * Math.min(this.#count, mostGroups) * gain;
  }

  /** Takes the delay of a group against the one before, and when it came, on the viewer's clock. */
  add(deltaMs: number, arrivedMs: number): void {
    if (this.#count === 0) this.#firstMs = arrivedMs;
    this.#accumulatedMs += deltaMs;
    this.#smoothedMs = smoothing * this.#smoothedMs + (1 - smoothing) * this.#accumulatedMs;
    const slot = this.#count % groups;
    this.#times[slot] = arrivedMs - this.#firstMs;
    this.#delays[slot] = this.#smoothedMs;
    this.#count += 1;
    if (this.#count >= groups) this.#slope = this.#regress();
  }

  restart(): void {
    this.#count = 0;
    this.#accumulatedMs = 0;
    this.#smoothedMs = 0;
    this.#slope = 0;
  }

  #regress(): number {
    let timeSum = 0;
    let delaySum = 0;
    for (let at = 0; at < groups; at += 1) {
      timeSum += this.#times[at] ?? 0;
      delaySum += this.#delays[at] ?? 0;
    }
    const timeMean = timeSum / groups;
    const delayMean = delaySum / groups;
    let covariance = 0;
    let variance = 0;
    for (let at = 0; at < groups; at += 1) {
      const time = (this.#times[at] ?? 0) - timeMean;
      covariance += time * ((this.#delays[at] ?? 0) - delayMean);
      variance += time * time;
    }
    return variance === 0 ? this.#slope : covariance / variance;
  }
}
