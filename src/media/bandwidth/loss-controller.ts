/** Shares of packets lost below which the limit rises, and above which it falls (draft-ietf-rmcat-gcc-02 §6). */
const fewLost = 0.02;
const manyLost = 0.1;
const riseFactor = 1.05;
const riseEveryMs = 1_000;
const fallEveryMs = 300;

/**
 * The limit that losses set (draft-ietf-rmcat-gcc-02 §6): As(i) = As(i−1) × (1 − 0.5 p) above 10 %, unchanged
 * from 2 to 10 %, 5 % more a second below. There is no limit while the delay's estimate is the lower one.
 */
export class LossController {
  #limitBps = Number.POSITIVE_INFINITY;
  #fractionLost = 0;
  #fellMs = Number.NEGATIVE_INFINITY;
  #roseMs = Number.NEGATIVE_INFINITY;

  /** Infinity when losses set none. */
  get limitBps(): number {
    return this.#limitBps;
  }

  /** As last reported, 0–1. */
  get fractionLost(): number {
    return this.#fractionLost;
  }

  /** More is not worth trying. */
  get isLossy(): boolean {
    return this.#fractionLost >= fewLost;
  }

  /** Takes a receiver report; `delayBps` is the delay's estimate. What is no share is ignored: false. */
  report(fractionLost: number, nowMs: number, delayBps: number): boolean {
    if (!(fractionLost >= 0 && fractionLost <= 1)) return false;
    this.#fractionLost = fractionLost;
    if (fractionLost > manyLost && nowMs - this.#fellMs >= fallEveryMs) {
      this.#fellMs = nowMs;
      this.#limitBps = Math.min(this.#limitBps, delayBps) * (1 - 0.5 * fractionLost);
    } else if (fractionLost < fewLost && nowMs - this.#roseMs >= riseEveryMs) {
      this.#roseMs = nowMs;
      this.raise(this.#limitBps * riseFactor, delayBps);
    }
    return true;
  }

  /** So much is known to come through. */
  raise(bps: number, delayBps: number): void {
    const limitBps = Math.max(this.#limitBps, bps);
    this.#limitBps = limitBps >= delayBps ? Number.POSITIVE_INFINITY : limitBps;
  }

  /** Keeps the limit where it can come back from. */
  floor(minBps: number): void {
    this.#limitBps = Math.max(this.#limitBps, minBps);
  }
}
