import { LinkCapacity } from './link-capacity.ts';
import type { Usage } from './overuse-detector.ts';

export type BandwidthState = 'increase' | 'hold' | 'decrease';

/** What the detector's signal does to the state (draft-ietf-rmcat-gcc-02 §5.5, table). */
export const rateTransitions: Readonly<
  Record<BandwidthState, Readonly<Record<Usage, BandwidthState>>>
> = {
  increase: { overuse: 'decrease', normal: 'increase', underuse: 'hold' },
  hold: { overuse: 'decrease', normal: 'increase', underuse: 'hold' },
  decrease: { overuse: 'decrease', normal: 'hold', underuse: 'hold' },
};

/** β, and η for the increase a second (§5.5). */
const decreaseFactor = 0.85;
const increaseFactor = 1.08;
/** The same until the path's limit is met for the first time, and after it turned out to be higher than it was. */
const startFactor = 2;
const restartFactor = 1.3;
/** The target is never raised beyond what comes through, times this and a little more (§5.5). */
const headroomFactor = 1.5;
const headroomBps = 10_000;
/** The sender offers so much less than the target that overuse does not tell what the path carries. */
const idleShare = 0.5;
const longestStepMs = 1_000;
const leastResponseMs = 200;
const leastAdditiveBps = 4_000;
const packetBits = 9_600;

export interface RateUpdate {
  readonly usage: Usage;
  /** What came through, and what was offered, over the same half second; undefined: not known yet. */
  readonly acknowledgedBps: number | undefined;
  readonly offeredBps: number | undefined;
  readonly roundTripMs: number;
  readonly nowMs: number;
}

/**
 * The delay's estimate of the bandwidth: additive increase near what the path is known to carry, multiplicative
 * far from it, multiplicative decrease (draft-ietf-rmcat-gcc-02 §5.5).
 */
export class Aimd {
  readonly #minBps: number;
  readonly #maxBps: number;
  readonly #capacity: LinkCapacity;
  #targetBps: number;
  #state: BandwidthState = 'hold';
  /** Growth a second, far from what is known to be carried. */
  #factor = startFactor;
  #updatedMs = Number.NaN;
  #decreasedMs = Number.NEGATIVE_INFINITY;

  /** `capacityMs`: how long what the path carried is believed to be what it carries. */
  constructor(options: { startBps: number; minBps: number; maxBps: number; capacityMs: number }) {
    this.#minBps = options.minBps;
    this.#maxBps = options.maxBps;
    this.#targetBps = options.startBps;
    this.#capacity = new LinkCapacity({ validMs: options.capacityMs });
  }

  get targetBps(): number {
    return this.#targetBps;
  }

  get state(): BandwidthState {
    return this.#state;
  }

  /** When it was last lowered. */
  get decreasedMs(): number {
    return this.#decreasedMs;
  }

  /** What the path is known to carry; undefined: not known (any more). */
  capacityAt(nowMs: number): number | undefined {
    return this.#capacity.at(nowMs);
  }

  update(update: RateUpdate): void {
    const { nowMs } = update;
    const elapsedMs = Math.min(Math.max(nowMs - this.#updatedMs, 0), longestStepMs) || 0;
    this.#updatedMs = nowMs;
    this.#state = rateTransitions[this.#state][update.usage];
    if (this.#state === 'increase') this.#increase(update, elapsedMs);
    if (this.#state === 'decrease') this.#decrease(update);
  }

  /** The path was seen to be full at this rate, by more than the target and with no queue left behind. */
  full(bps: number, nowMs: number): void {
    this.#factor = increaseFactor;
    this.#capacity.full(bps, nowMs);
    this.#set(Math.min(this.#targetBps, bps));
  }

  /** This rate was seen to come through with no queue. */
  confirm(bps: number): void {
    this.#carried(bps);
    this.#set(Math.max(this.#targetBps, bps));
  }

  /** Takes a share of the target away, whatever the state. */
  cut(factor: number): void {
    this.#factor = increaseFactor;
    this.#set(this.#targetBps * factor);
  }

  #increase({ acknowledgedBps, roundTripMs, nowMs }: RateUpdate, elapsedMs: number): void {
    if (acknowledgedBps === undefined) return;
    this.#carried(acknowledgedBps);
    const knownBps = this.#capacity.at(nowMs);
    const grownBps =
      knownBps !== undefined && this.#capacity.includes(this.#targetBps)
        ? this.#targetBps + (this.#additiveBps(roundTripMs) * elapsedMs) / 1_000
        : this.#targetBps * this.#factor ** (elapsedMs / 1_000);
    const limitBps = Math.min(
      acknowledgedBps * headroomFactor + headroomBps,
      knownBps ?? Number.POSITIVE_INFINITY,
    );
    // A sender that has little to send learns nothing new, and forgets nothing.
    this.#set(Math.max(this.#targetBps, Math.min(grownBps, limitBps)));
  }

  #carried(bps: number): void {
    if (this.#capacity.carried(bps)) this.#factor = Math.max(this.#factor, restartFactor);
  }

  /** One packet of the size at this rate per response time (§5.5). */
  #additiveBps(roundTripMs: number): number {
    const frameBits = this.#targetBps / 30;
    const meanBits = frameBits / Math.ceil(frameBits / packetBits);
    return Math.max((meanBits * 1_000) / (roundTripMs + 100), leastAdditiveBps);
  }

  #decrease({ acknowledgedBps, offeredBps, roundTripMs, nowMs }: RateUpdate): void {
    if (nowMs - this.#decreasedMs < Math.max(leastResponseMs, roundTripMs)) return;
    this.#decreasedMs = nowMs;
    this.#factor = increaseFactor;
    const isIdle =
      acknowledgedBps === undefined ||
      (acknowledgedBps < idleShare * this.#targetBps &&
        (offeredBps ?? 0) < acknowledgedBps / decreaseFactor);
    if (isIdle) {
      this.#set(this.#targetBps * decreaseFactor);
      return;
    }
    this.#capacity.full(acknowledgedBps, nowMs);
    this.#set(Math.min(this.#targetBps, acknowledgedBps * decreaseFactor));
  }

  #set(bps: number): void {
    this.#targetBps = Math.min(Math.max(bps, this.#minBps), this.#maxBps);
  }
}
