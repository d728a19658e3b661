export type Usage = 'normal' | 'overuse' | 'underuse';

const startThresholdMs = 12.5;
const leastThresholdMs = 6;
const mostThresholdMs = 600;
/** How fast the threshold follows the trend up and down, a ms (draft-ietf-rmcat-gcc-02 §5.4's K_u and K_d, with newer figures). */
const riseShare = 0.0087;
const fallShare = 0.039;
/** A peak so far beyond the threshold is a route's change, not the usual: the threshold does not follow. */
const peakMs = 15;
const longestStepMs = 100;
/** The trend has to be beyond the threshold for that long, and more than once. */
const overuseMs = 10;

/**
 * Compares the trend of the delay with a threshold that adapts itself, so that neither jitter nor a rival
 * that fills queues starves the stream (draft-ietf-rmcat-gcc-02 §5.4).
 */
export class OveruseDetector {
  #thresholdMs = startThresholdMs;
  #usage: Usage = 'normal';
  #overMs = 0;
  #overCount = 0;
  #trendMs = 0;
  #updatedMs = Number.NaN;

  get usage(): Usage {
    return this.#usage;
  }

  /** The draft's γ. */
  get thresholdMs(): number {
    return this.#thresholdMs;
  }

  /** Takes the trend at a group that came at `nowMs`, sent `intervalMs` after the one before. */
  update(trendMs: number, intervalMs: number, nowMs: number): Usage {
    if (trendMs > this.#thresholdMs) {
      // Of the first group beyond it, half of the time is taken to have been beyond it too.
      this.#overMs += this.#overCount === 0 ? intervalMs / 2 : intervalMs;
      this.#overCount += 1;
      const isLasting = this.#overMs > overuseMs && this.#overCount > 1;
      if (isLasting && trendMs >= this.#trendMs) this.#enter('overuse');
    } else {
      this.#enter(trendMs < -this.#thresholdMs ? 'underuse' : 'normal');
    }
    this.#trendMs = trendMs;
    this.#adapt(trendMs, nowMs);
    return this.#usage;
  }

  /** A new path; what the threshold has learnt is kept. */
  restart(): void {
    this.#enter('normal');
    this.#trendMs = 0;
    this.#updatedMs = Number.NaN;
  }

  #enter(usage: Usage): void {
    this.#usage = usage;
    this.#overMs = 0;
    this.#overCount = 0;
  }

  #adapt(trendMs: number, nowMs: number): void {
    const size = Math.abs(trendMs);
    const stepMs = Math.min(Math.max(nowMs - this.#updatedMs, 0), longestStepMs);
    this.#updatedMs = nowMs;
    if (Number.isNaN(stepMs) || size > this.#thresholdMs + peakMs) return;
    const share = size < this.#thresholdMs ? fallShare : riseShare;
    const next = this.#thresholdMs + share * (size - this.#thresholdMs) * stepMs;
    this.#thresholdMs = Math.min(Math.max(next, leastThresholdMs), mostThresholdMs);
  }
}
