/** Weight of a new sample (draft-ietf-rmcat-gcc-02 §5.5 proposes 0.95 for the mean of what was; the samples here are rarer). */
const weight = 0.2;
/** The deviation is never taken to be below or above these shares of the mean. */
const leastDeviation = 0.02;
const mostDeviation = 0.08;

/**
 * What the path carried each time it was full: mean and deviation (draft-ietf-rmcat-gcc-02 §5.5). It is
 * believed for a few seconds only; then it is to be found out anew.
 */
export class LinkCapacity {
  readonly #validMs: number;
  #meanBps = Number.NaN;
  #variance = 0;
  #validUntilMs = Number.NEGATIVE_INFINITY;

  constructor({ validMs }: { validMs: number }) {
    this.#validMs = validMs;
  }

  /** Undefined when it is not known, or not any more. */
  at(nowMs: number): number | undefined {
    return nowMs < this.#validUntilMs ? this.#meanBps : undefined;
  }

  /** Takes what came through while the path was full. */
  full(bps: number, nowMs: number): void {
    if (!this.includes(bps)) {
      this.#meanBps = bps;
      this.#variance = 0;
    } else {
      const step = bps - this.#meanBps;
      this.#meanBps += weight * step;
      this.#variance = (1 - weight) * (this.#variance + weight * step * step);
    }
    this.#validUntilMs = nowMs + this.#validMs;
  }

  /** Whether a rate is within three deviations of the mean. */
  includes(bps: number): boolean {
    return Math.abs(bps - this.#meanBps) <= 3 * this.#deviationBps;
  }

  /** Takes what came through while it was not known to be full. More than the mean explains ends the belief: true. */
  carried(bps: number): boolean {
    if (!(bps > this.#meanBps + 3 * this.#deviationBps)) return false;
    this.#meanBps = Number.NaN;
    this.#variance = 0;
    this.#validUntilMs = Number.NEGATIVE_INFINITY;
    return true;
  }

  get #deviationBps(): number {
    const share = Math.sqrt(this.#variance) / this.#meanBps;
    return Math.min(Math.max(share, leastDeviation), mostDeviation) * this.#meanBps;
  }
}
