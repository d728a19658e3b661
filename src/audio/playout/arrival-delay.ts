import { PercentileWindow } from './percentile-window.ts';
import { RunningMinimum } from './running-minimum.ts';

/** How far back the percentile and the smallest delay look. */
const windowMs = 5_000;
/** The share of arrivals that shall be in time. */
const quantile = 0.97;
/** Bursts are remembered a little longer than the percentile, so that one every three seconds is met. */
const burstMemoryMs = 6_000;
/** A delay that long after nothing shorter came is the way's new delay, not a wait. */
const longerWayMs = 300;

/**
 * How much later than the quickest packets come: the delay of each arrival (arrival − RTP time) over
 * its running minimum, which leaves jitter and takes out both offset and drift of the two clocks.
 * One percentile pass (≈ 0.3 µs) a packet, no allocation.
 */
export class ArrivalDelay {
  readonly #quickest = new RunningMinimum({ spanMs: windowMs, valuesPerBucket: 5 });
  readonly #delays = new PercentileWindow({
    spanMs: windowMs,
    binWidth: 0.5,
    bins: 512,
    capacity: 2_048,
  });
  readonly #longestMs: number;
  #percentileMs = 0;
  #lastArrivalMs = Number.NEGATIVE_INFINITY;
  #lastMediaMs = Number.NEGATIVE_INFINITY;
  #lastDelayMs = 0;
  #beyondSinceMs = Number.POSITIVE_INFINITY;
  #burstMs = 0;
  #burstAtMs = Number.NEGATIVE_INFINITY;
  #earlierBurstMs = 0;
  #earlierBurstAtMs = Number.NEGATIVE_INFINITY;

  /** `longestMs`: delays beyond it cannot be met, so they are outages and say nothing about jitter. */
  constructor({ longestMs }: { longestMs: number }) {
    this.#longestMs = longestMs;
  }

  /** Arrivals the percentile stands on. */
  get evidence(): number {
    return this.#delays.count;
  }

  /** 97th percentile of the delay over the quickest, of the last five seconds. */
  get jitterMs(): number {
    return this.#percentileMs;
  }

  /** What has to be held back so that packets are there: the percentile, or bursts that come again and again. */
  needMs(nowMs: number): number {
    const again = nowMs - this.#earlierBurstAtMs <= burstMemoryMs;
    return again
      ? Math.max(this.#percentileMs, Math.min(this.#burstMs, this.#earlierBurstMs))
      : this.#percentileMs;
  }

  /**
   * How long after its quickest possible arrival a sound of the sender's time `mediaMs` is played, when
   * that happens at `playedMs`: the delay this buffer adds, whatever the phase of the packets.
   */
  delayOf({ playedMs, mediaMs }: { playedMs: number; mediaMs: number }): number {
    const quickest = this.#quickest.value;
    return quickest === Number.POSITIVE_INFINITY ? 0 : playedMs - mediaMs - quickest;
  }

  /** Notes an arrival. True when the way has become so much longer that the stream has to begin anew. */
  observe(arrivalMs: number, mediaMs: number): boolean {
    this.#quickest.add(arrivalMs, arrivalMs - mediaMs);
    const delayMs = arrivalMs - mediaMs - this.#quickest.value;
    if (delayMs > this.#longestMs) {
      this.#beyondSinceMs = Math.min(this.#beyondSinceMs, arrivalMs);
      if (arrivalMs - this.#beyondSinceMs >= longerWayMs) {
        this.restart(arrivalMs);
        this.#quickest.add(arrivalMs, arrivalMs - mediaMs);
        return true;
      }
    } else {
      this.#beyondSinceMs = Number.POSITIVE_INFINITY;
      if (!this.#follows(arrivalMs, mediaMs, delayMs)) this.#count(arrivalMs, delayMs);
    }
    this.#lastArrivalMs = arrivalMs;
    this.#lastMediaMs = mediaMs;
    this.#lastDelayMs = delayMs;
    return false;
  }

  /** A new time line: what was the quickest before says nothing any more. The jitter is kept. */
  restart(nowMs: number): void {
    this.#quickest.restart(nowMs);
    this.#beyondSinceMs = Number.POSITIVE_INFINITY;
    this.#lastMediaMs = Number.NEGATIVE_INFINITY;
  }

  /** Packets that waited behind a late one and came with it are one event, not many late packets. */
  #follows(arrivalMs: number, mediaMs: number, delayMs: number): boolean {
    const stepMs = mediaMs - this.#lastMediaMs;
    const together = arrivalMs - this.#lastArrivalMs < stepMs / 4;
    return together && stepMs <= 1_000 && delayMs < this.#lastDelayMs;
  }

  #count(arrivalMs: number, delayMs: number): void {
    if (delayMs > 2 * this.#percentileMs + 10 && this.#delays.count > 0) {
      this.#earlierBurstMs = this.#burstMs;
      this.#earlierBurstAtMs = this.#burstAtMs;
      this.#burstMs = delayMs;
      this.#burstAtMs = arrivalMs;
    }
    this.#delays.add(arrivalMs, delayMs);
    this.#percentileMs = this.#delays.percentile(quantile);
  }
}
