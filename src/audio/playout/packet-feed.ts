import { ArrivalDelay } from './arrival-delay.ts';
import { PacketOrder } from './packet-order.ts';
import { PacketStore } from './packet-store.ts';
import type { JitterItem } from './playout-step.ts';

/** A packet as it came. `P` is its Opus payload. */
export interface FedPacket<P> {
  /** 16 bit, wraps. */
  readonly sequence: number;
  /** Position of its first sample, 48 kHz, 32 bit, wraps. */
  readonly timestamp: number;
  /** Samples per channel it plays for, 120 (2.5 ms) to 5,760 (120 ms). */
  readonly samples: number;
  readonly payload: P;
  /** When it came, in ms, on the clock that `next()` is asked with. */
  readonly arrivalMs: number;
  /** It came as a copy within another packet. */
  readonly recovered: boolean;
}

/** A packet whose turn it is to be decoded. */
export interface OrderedPacket<P> {
  readonly sequence: number;
  readonly timestamp: number;
  readonly samples: number;
  readonly payload: P;
  /** How long it waited here for a packet before it, in ms. */
  readonly heldMs: number;
  /** Packets given up right before it. */
  readonly gap: number;
}

/** `late`: it had been given up. `reset`: a jump that no network makes; it was taken, all before it is gone, and the decoder should be reset. */
export type Feeding = 'queued' | 'duplicate' | 'late' | 'reset';

/** Packets; they only grow. */
export interface FeedCounts {
  /** Came by themselves, whatever became of them. */
  received: number;
  /** Were taken from the copy in another packet. */
  recovered: number;
  duplicate: number;
  /** Came when they had been given up, or are no packets that can be played: dropped. */
  late: number;
  /** Given up: neither came nor were recovered in time. */
  lost: number;
  /** Times the stream began anew. */
  resets: number;
}

export interface PacketFeedOptions {
  /** More than these are not held back for a missing one; 64 unless told, at most 500. */
  readonly maxHeldPackets?: number;
  /** What a packet needs from here to the ear beyond the quickest: decoding, and waiting for the output to ask. In ms. */
  readonly handoverMs?: number;
}

/** A jump ahead beyond it is no network's doing. */
const furthestAheadMs = 2_000;
/** A packet later than it is an outage's, not jitter's. */
const longestMs = 200;
/** A missing packet is waited for so much longer than packets usually take. */
const graceMs = 3;
const leastSamples = 120;
const mostSamples = 5_760;
const samplesPerMs = 48;

/**
 * Puts packets in decode order. Pure: time comes in with the calls. A missing packet is waited for while
 * it could still be played in time, and no longer than packets are seen to come late: on a network that
 * keeps them in order nothing waits for a lost one.
 *
 * INVARIANTS: packets are handed on in sequence order, each once; nothing behind the one handed on last
 * is handed on; at most `maxHeldPackets` are held beyond the call of `next()`, 512 at any time.
 */
export class PacketFeed<P> {
  readonly counts: FeedCounts = {
    received: 0,
    recovered: 0,
    duplicate: 0,
    late: 0,
    lost: 0,
    resets: 0,
  };
  readonly #maxHeldPackets: number;
  readonly #handoverMs: number;
  readonly #store = new PacketStore<P>();
  #order = new PacketOrder({ furthestAheadMs });
  #arrivals = new ArrivalDelay({ longestMs });
  /** Of the packet to be handed on next, without wraps; NaN before the first. */
  #nextSequence = Number.NaN;
  #nextTimestamp = 0;
  #nowMs = Number.NEGATIVE_INFINITY;
  /** What is held now has waited for a missing packet. */
  #waited = false;

  constructor({ maxHeldPackets = 64, handoverMs = 5 }: PacketFeedOptions = {}) {
    this.#maxHeldPackets = maxHeldPackets;
    this.#handoverMs = handoverMs;
  }

  /** Takes a packet; a copy of one that is known already (`recovered`) is no duplicate worth counting. */
  insert(packet: FedPacket<P>): Feeding {
    const { sequence, timestamp, samples, payload, arrivalMs, recovered } = packet;
    if (!recovered) this.counts.received += 1;
    if (!(samples >= leastSamples && samples <= mostSamples)) return this.#drop('late');
    const item: JitterItem<P> = { ssrc: 0, sequence, timestamp, samples, payload, arrivalMs };
    const place = this.#order.place(item);
    const at = this.#order.sequence;
    if (place === 'jump') this.#beginAnew(arrivalMs);
    else if (this.#store.knows(at)) {
      if (!recovered) this.counts.duplicate += 1;
      return 'duplicate';
    }
    if (at < this.#nextSequence) return recovered ? 'late' : this.#drop('late');
    if (!this.#store.insert(at, this.#order.timestamp, item)) return this.#drop('late');
    if (Number.isNaN(this.#nextSequence)) this.#goTo(at, this.#order.timestamp);
    if (recovered) this.counts.recovered += 1;
    else this.#arrivals.observe(arrivalMs, (this.#order.timestamp + samples) / samplesPerMs);
    return place === 'jump' ? 'reset' : 'queued';
  }

  /**
   * The next packet to decode; undefined: nothing is here, or a missing one is still worth waiting for.
   * `targetMs`: how long after its quickest possible arrival a packet is played. To be asked until it says undefined.
   */
  next(nowMs: number, targetMs: number): OrderedPacket<P> | undefined {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
    const first = this.#first();
    if (first === undefined) {
      this.#waited = false;
      return undefined;
    }
    const crowded = this.#store.count > this.#maxHeldPackets;
    if (first > this.#nextSequence && !crowded && this.#nowMs < this.deadlineMs(targetMs)) {
      this.#waited = true;
      return undefined;
    }
    return this.#hand(first);
  }

  /** When `next` should be asked again though nothing comes, in ms; at once is 0, Infinity: no need. */
  deadlineMs(targetMs: number): number {
    const first = this.#first();
    if (first === undefined) return Number.POSITIVE_INFINITY;
    const missing = first - this.#nextSequence;
    if (missing === 0) return 0;
    const gap = this.#store.timestampAt(first) - this.#nextTimestamp;
    const mediaMs = (this.#nextTimestamp + gap / missing) / samplesPerMs;
    const quickestMs = -this.#arrivals.delayOf({ playedMs: 0, mediaMs });
    const usualMs = this.#arrivals.jitterMs + graceMs;
    return quickestMs + Math.min(Math.max(targetMs - this.#handoverMs, 0), usualMs);
  }

  /** Forgets what is held and the stream it was of; the counts stay. */
  reset(): void {
    this.#order = new PacketOrder({ furthestAheadMs });
    this.#arrivals = new ArrivalDelay({ longestMs });
    this.#forget();
  }

  #first(): number | undefined {
    return Number.isNaN(this.#nextSequence) ? undefined : this.#store.firstFrom(this.#nextSequence);
  }

  #hand(sequence: number): OrderedPacket<P> | undefined {
    const unwrapped = this.#store.timestampAt(sequence);
    const item = this.#store.take(sequence);
    if (item === undefined) return undefined;
    const gap = sequence - this.#nextSequence;
    this.counts.lost += gap;
    this.#goTo(sequence + 1, unwrapped + item.samples);
    const heldMs = this.#waited ? Math.max(0, this.#nowMs - item.arrivalMs) : 0;
    if (this.#store.count === 0) this.#waited = false;
    const { timestamp, samples, payload } = item;
    return { sequence: item.sequence, timestamp, samples, payload, heldMs, gap };
  }

  #goTo(sequence: number, timestamp: number): void {
    this.#nextSequence = sequence;
    this.#nextTimestamp = timestamp;
  }

  #beginAnew(nowMs: number): void {
    this.counts.resets += 1;
    this.#arrivals.restart(nowMs);
    this.#forget();
  }

  #forget(): void {
    this.#store.clear();
    this.#nextSequence = Number.NaN;
    this.#waited = false;
  }

  #drop(why: 'late'): Feeding {
    this.counts[why] += 1;
    return why;
  }
}
