import type { JitterItem } from './playout-step.ts';

/** Jumps within these are the network's doing (compare RFC 3550 appendix A.1). */
const mostAhead = 3_000;
const mostBehind = 1_000;
const furthestBehindMs = 10_000;

/** Where a packet stands beside the newest one so far. */
export type Place = 'first' | 'ahead' | 'behind' | 'jump';

/**
 * Takes the wraps out of sequence numbers and timestamps, and recognises what cannot be the same
 * stream: another SSRC, a jump that no network makes, or a timestamp that contradicts its sequence
 * number.
 */
export class PacketOrder {
  readonly #furthestAheadMs: number;
  #started = false;
  #ssrc = 0;
  #newestSequence = 0;
  #newestTimestamp = 0;
  #newestArrivalMs = 0;
  /** Of the packet last placed, without wraps. */
  sequence = 0;
  timestamp = 0;

  /** `furthestAheadMs`: how far a timestamp may run ahead of the time that has passed. */
  constructor({ furthestAheadMs }: { furthestAheadMs: number }) {
    this.#furthestAheadMs = furthestAheadMs;
  }

  get newestSequence(): number {
    return this.#newestSequence;
  }

  /** When the newest packet came. */
  get newestArrivalMs(): number {
    return this.#newestArrivalMs;
  }

  place(item: JitterItem<unknown>): Place {
    if (!this.#started) return this.#begin(item, 'first');
    const sequenceStep = ((item.sequence - this.#newestSequence) << 16) >> 16;
    const timestampStep = (item.timestamp - this.#newestTimestamp) | 0;
    this.sequence = this.#newestSequence + sequenceStep;
    this.timestamp = this.#newestTimestamp + timestampStep;
    if (item.ssrc !== this.#ssrc) return this.#begin(item, 'jump');
    if (sequenceStep <= 0) {
      const possible =
        sequenceStep >= -mostBehind &&
        timestampStep >= -furthestBehindMs * 48 &&
        (sequenceStep === 0 ? timestampStep === 0 : timestampStep < 0);
      return possible ? 'behind' : this.#begin(item, 'jump');
    }
    const aheadMs = timestampStep / 48 - (item.arrivalMs - this.#newestArrivalMs);
    const possible =
      sequenceStep <= mostAhead && timestampStep > 0 && aheadMs <= this.#furthestAheadMs;
    if (!possible) return this.#begin(item, 'jump');
    this.#advance(item);
    return 'ahead';
  }

  #begin(item: JitterItem<unknown>, place: Place): Place {
    this.#started = true;
    this.#ssrc = item.ssrc;
    this.sequence = item.sequence & 0xffff;
    this.timestamp = item.timestamp >>> 0;
    this.#advance(item);
    return place;
  }

  #advance({ arrivalMs }: JitterItem<unknown>): void {
    this.#newestSequence = this.sequence;
    this.#newestTimestamp = this.timestamp;
    this.#newestArrivalMs = arrivalMs;
  }
}
