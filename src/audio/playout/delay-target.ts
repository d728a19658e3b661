import type { ArrivalDelay } from './arrival-delay.ts';
import { RunningMinimum } from './running-minimum.ts';

/**
 * Held back beyond what was measured, for the steps in which queue and jitter are known and for what the
 * drift controller needs: a share of the least target, within bounds.
 */
const marginShare = 0.3;
const mostMarginMs = 3;
/** Arrivals below which the measurement is not believed to be complete. */
const enoughEvidence = 25;
/** The target falls by 1 ms a second, and by half of what it is too high: 55 of 60 ms are given back in 4.4 s. */
const fallMsPerS = 1;
const fallSharePerS = 0.5;
/** Share of packets lost above (below) which the target reaches for the packet that carries the lost one's FEC. */
const lossyFrom = 0.01;
const lossyUntil = 0.003;
const lossMemoryMs = 5_000;
/**
 * What is held back in addition each time a packet came a little too late though the percentile is sure of
 * itself: three packets in a hundred that are late would be a click every half minute. Packets late together
 * are late once. It is given back after five minutes without, 1 ms a minute.
 */
const littleLateMs = 2;
const mostLittleLateMs = 10;
const lateTogetherMs = 1_000;
const lateMemoryMs = 300_000;
const giveBackEveryMs = 60_000;
/** The percentile has all it can have after that. */
const settledAfterMs = 5_000;
const queueMemoryMs = 2_000;

/**
 * How long after its quickest possible arrival a sound should be played: what the arrivals ask for, plus
 * the sound that has to be handed on before it is played, plus one packet when packets are lost (the
 * copy in the next packet's FEC comes that much later). Rises at once, falls slowly.
 */
export class DelayTarget {
  readonly #arrivals: ArrivalDelay;
  readonly #minMs: number;
  readonly #maxMs: number;
  readonly #marginMs: number;
  readonly #asked = new RunningMinimum({ spanMs: queueMemoryMs, valuesPerBucket: 5 });
  readonly #given = new RunningMinimum({ spanMs: queueMemoryMs, valuesPerBucket: 1 });
  #finalMs = Number.NEGATIVE_INFINITY;
  #targetMs: number;
  #updatedMs = Number.NEGATIVE_INFINITY;
  #loss = 0;
  #lossy = false;
  /** What is held back for packets that were a little late, from when on it is given back, and until when no more is added. */
  #moreMs = 0;
  #giveBackMs = 0;
  #settledMs = 0;

  /** `marginMs`: what is held back beyond what was measured; a share of `minMs` unless told. */
  constructor(options: {
    arrivals: ArrivalDelay;
    minMs: number;
    maxMs: number;
    marginMs?: number | undefined;
  }) {
    this.#arrivals = options.arrivals;
    this.#minMs = options.minMs;
    this.#maxMs = options.maxMs;
    this.#marginMs = options.marginMs ?? Math.min(options.minMs * marginShare, mostMarginMs);
    this.#targetMs = Math.min(2 * options.minMs, options.maxMs);
  }

  get ms(): number {
    return this.#targetMs;
  }

  /**
   * Notes how much sound was still queued when more was asked for. A packet that is not there when the
   * asking is final is too late; while it never comes to that, the least that was queued is near it.
   */
  noteQueue(nowMs: number, queuedMs: number, final: boolean): void {
    this.#asked.add(nowMs, queuedMs);
    if (!final) return;
    this.#given.add(nowMs, -queuedMs);
    this.#finalMs = nowMs;
  }

  /** The queue begins anew: what it held before says nothing. */
  restartQueue(nowMs: number): void {
    this.#asked.restart(nowMs);
    this.#given.restart(nowMs);
    this.#finalMs = Number.NEGATIVE_INFINITY;
    this.#settledMs = nowMs + settledAfterMs;
  }

  /** Notes sound that was played. */
  notePlayed(samples: number): void {
    this.#noteFate(0, samples);
  }

  /** Notes sound that was given up, or came as a copy in the packet after it. */
  noteLost(samples: number): void {
    this.#noteFate(1, samples);
  }

  /** Notes for how long sound had to be made up for a packet that came after all. A stall is not answered: no target could meet it. */
  noteLate(nowMs: number, lateMs: number): void {
    if (lateMs === 0 || lateMs > mostLittleLateMs || nowMs < this.#settledMs) return;
    this.#settledMs = nowMs + lateTogetherMs;
    this.#moreMs = Math.min(this.#moreMs + littleLateMs, mostLittleLateMs);
    this.#giveBackMs = nowMs + lateMemoryMs;
  }

  #noteFate(lost: 0 | 1, samples: number): void {
    const weight = Math.min(samples / 48 / lossMemoryMs, 1);
    this.#loss += (lost - this.#loss) * weight;
    this.#lossy = this.#loss > (this.#lossy ? lossyUntil : lossyFrom);
  }

  /** Aims anew, after an arrival. */
  update(nowMs: number, packetMs: number): void {
    this.#giveBack(nowMs);
    const aimMs = this.#aim(nowMs, packetMs);
    const passedS = Math.min(Math.max((nowMs - this.#updatedMs) / 1_000, 0), 1);
    this.#updatedMs = nowMs;
    const excessMs = this.#targetMs - aimMs;
    const fallMs = (fallMsPerS + fallSharePerS * excessMs) * passedS;
    this.#targetMs = excessMs > fallMs ? this.#targetMs - fallMs : aimMs;
  }

  #giveBack(nowMs: number): void {
    if (this.#moreMs === 0 || nowMs < this.#giveBackMs) return;
    this.#moreMs -= 1;
    this.#giveBackMs = nowMs + giveBackEveryMs;
  }

  /** Sound that is queued at the moment from which a missing packet is too late. */
  #reserveMs(nowMs: number): number {
    if (nowMs - this.#finalMs < queueMemoryMs) return -this.#given.value;
    return Number.isFinite(this.#asked.value) ? this.#asked.value : 0;
  }

  #aim(nowMs: number, packetMs: number): number {
    const measuredMs = this.#arrivals.needMs(nowMs);
    const sure = this.#arrivals.evidence >= enoughEvidence;
    const jitterMs = sure ? measuredMs : Math.max(measuredMs, 2 * this.#minMs);
    const reachMs = this.#lossy ? packetMs : 0;
    const marginMs = this.#marginMs + this.#moreMs;
    const aimMs = this.#reserveMs(nowMs) + jitterMs + reachMs + marginMs;
    return Math.min(Math.max(aimMs, this.#minMs), this.#maxMs);
  }
}
