import { TokenBucket } from '../rates/token-bucket.ts';
import type { RtpPacket } from './rtp-packet.ts';

/** Packets kept unless said otherwise: at 1,024, 10 s of 10 ms frames; fewer froze pictures for seconds at 2 % loss. */
const defaultPackets = 1_024;
/** A packet that failed to arrive this often is too late. */
const maxRepeats = 3;
/** Repeats of sound a second over all packets: an overload that asks for more would feed itself. */
const repeatRate = { perSecond: 50, burst: 50 };

/** What allows a repeat of so many bytes of payload, or refuses it. */
export interface RepeatBudget {
  take(nowMs: number, bytes: number): boolean;
}

export interface SendHistoryOptions {
  readonly nowMs: number;
  /** 50 packets a second by default. */
  readonly budget?: RepeatBudget;
  /** A power of two up to 32,768, so that a wrap of the numbers changes nothing. */
  readonly packets?: number;
}

interface Slot {
  readonly sequence: number;
  readonly packet: RtpPacket;
  repeats: number;
  lastMs: number;
}

/** The last packets of one stream, for retransmission, which is capped per packet and by a budget over all. */
export class SendHistory {
  readonly #slots: (Slot | undefined)[];
  readonly #budget: RepeatBudget;

  constructor(options: SendHistoryOptions) {
    const { nowMs, budget = new TokenBucket({ ...repeatRate, nowMs }) } = options;
    this.#slots = new Array<Slot | undefined>(options.packets ?? defaultPackets);
    this.#budget = budget;
  }

  add(sequence: number, packet: RtpPacket): void {
    this.#slots[sequence % this.#slots.length] = { sequence, packet, repeats: 0, lastMs: -1 };
  }

  /**
   * The packet of that sequence number, if it may be sent again now: it is still known, was not
   * repeated too often or within the last `spacingMs` (the round trip: an earlier repeat is still
   * under way), and the budget allows it.
   */
  repeat(sequence: number, nowMs: number, spacingMs: number): RtpPacket | undefined {
    const slot = this.#slot(sequence);
    if (slot === undefined || slot.repeats >= maxRepeats) return undefined;
    if (slot.lastMs >= 0 && nowMs - slot.lastMs < spacingMs) return undefined;
    if (!this.#budget.take(nowMs, slot.packet.payload.length)) return undefined;
    slot.repeats += 1;
    slot.lastMs = nowMs;
    return slot.packet;
  }

  /** Whether it was repeated as often as it may be, the last time more than `spacingMs` ago. */
  isExhausted(sequence: number, nowMs: number, spacingMs: number): boolean {
    const slot = this.#slot(sequence);
    return slot !== undefined && slot.repeats >= maxRepeats && nowMs - slot.lastMs >= spacingMs;
  }

  /** The packet of that sequence number, if it is still known. */
  packet(sequence: number): RtpPacket | undefined {
    return this.#slot(sequence)?.packet;
  }

  #slot(sequence: number): Slot | undefined {
    const slot = this.#slots[sequence % this.#slots.length];
    return slot?.sequence === sequence ? slot : undefined;
  }
}
