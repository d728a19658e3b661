import type { NtpClock } from './ntp-clock.ts';
import type { PacketOutlet } from './packet-outlet.ts';
import { wireOverheadBytes } from './packet-size.ts';
import type { PeerCounts } from './peer-counts.ts';
import type { ExtensionIds, RtpPacket } from './rtp-packet.ts';
import { RtpStream } from './rtp-stream.ts';
import { type RepeatBudget, SendHistory } from './send-history.ts';
import { videoClockRate } from './video-clock.ts';

/** 5 s at 4 Mbit/s, 1 s at 18. */
const historyPackets = 2_048;
/** A packet that was refused and is not asked for again within it has come. */
const forgottenMs = 500;
/** Packets sent as padding at once. */
const maxPaddingPackets = 16;

interface Original {
  readonly sequence: number;
  readonly packet: RtpPacket;
}

/**
 * What was sent of the picture, and the stream in which it is sent again (RFC 4588): there each packet
 * has a new number, which spares both ends every doubt about the SRTP index across a wrap.
 */
export class VideoRepeats {
  readonly stream: RtpStream;
  readonly #outlet: PacketOutlet;
  readonly #counts: PeerCounts;
  readonly #history: SendHistory;
  #isAgreed = false;
  #newest = 0;
  /** Packets of the last keyframe and since. */
  #needed = 0;
  /** Bytes that the budget refused, by packet, and when it last did; and of the packet looked at, 0 when it did not. */
  readonly #owed = new Map<number, number>();
  #owedMs = Number.NEGATIVE_INFINITY;
  #refusedBytes = 0;

  constructor(options: {
    readonly mid: string;
    readonly ntp: NtpClock;
    readonly outlet: PacketOutlet;
    readonly counts: PeerCounts;
    readonly nowMs: number;
    /** Asked for each repeat, with its bytes on the wire but for the header. */
    readonly budget: RepeatBudget;
  }) {
    const { mid, ntp, nowMs, budget } = options;
    this.stream = new RtpStream({ mid, clockRate: videoClockRate, ntp });
    this.#outlet = options.outlet;
    this.#counts = options.counts;
    this.#history = new SendHistory({
      nowMs,
      packets: historyPackets,
      budget: {
        take: (atMs, bytes) => {
          const isTaken = budget.take(atMs, bytes + wireOverheadBytes);
          if (!isTaken) this.#refusedBytes = bytes + wireOverheadBytes;
          return isTaken;
        },
      },
    });
  }

  /** What the viewer takes repeats as; undefined: it takes none. */
  agree(
    agreement: { readonly payloadType: number; readonly extensions: ExtensionIds } | undefined,
  ): void {
    this.#isAgreed = agreement !== undefined;
    if (agreement !== undefined) this.stream.agree(agreement);
  }

  /** A packet went out. */
  add(sequence: number, packet: RtpPacket): void {
    this.#history.add(sequence, packet);
    this.#needed += 1;
    this.#newest = sequence;
  }

  /** A keyframe begins with the next packet added: nobody needs what was sent before it. */
  beginKeyframe(): void {
    this.#needed = 0;
    this.#owed.clear();
  }

  /**
   * Repeats lost packets of the last keyframe and what came after it, as far as the budget goes, and none twice within
   * `spacingMs`. Returns the bytes that are asked for and that the budget did not allow yet; infinity when a packet was
   * repeated as often as it may be, in vain.
   */
  repeat(
    sequences: readonly number[],
    { nowMs, spacingMs }: { readonly nowMs: number; readonly spacingMs: number },
  ): number {
    if (!this.#isAgreed || !this.#outlet.isOpen) return 0;
    // Whoever does not ask again has it by now.
    if (nowMs - this.#owedMs > forgottenMs) this.#owed.clear();
    const lost: Original[] = [];
    let isInVain = false;
    for (const sequence of sequences) {
      if (!this.#isNeeded(sequence)) continue;
      this.#refusedBytes = 0;
      const packet = this.#history.repeat(sequence, nowMs, spacingMs);
      isInVain ||= this.#history.isExhausted(sequence, nowMs, spacingMs);
      if (packet !== undefined) lost.push({ sequence, packet });
      if (this.#refusedBytes === 0) this.#owed.delete(sequence);
      else this.#owe(sequence, nowMs);
    }
    this.#counts.videoRetransmitted += this.#send(lost);
    return isInVain ? Number.POSITIVE_INFINITY : this.#owedBytes;
  }

  /**
   * Sends about so many bytes of what was sent last once more, to see whether the path carries them;
   * a receiver throws away what it has.
   */
  pad(bytes: number): void {
    if (!this.#isAgreed) return;
    const copies: Original[] = [];
    for (let left = bytes; left > 0 && copies.length < maxPaddingPackets; ) {
      const sequence = (this.#newest - copies.length) & 0xffff;
      const packet = this.#history.packet(sequence);
      if (packet === undefined) break;
      copies.push({ sequence, packet });
      left -= packet.header.length + packet.payload.length + wireOverheadBytes;
    }
    this.#counts.videoPadding += this.#send(copies);
  }

  get #owedBytes(): number {
    let sum = 0;
    for (const bytes of this.#owed.values()) sum += bytes;
    return sum;
  }

  #owe(sequence: number, nowMs: number): void {
    this.#owed.set(sequence, this.#refusedBytes);
    this.#owedMs = nowMs;
  }

  #isNeeded(sequence: number): boolean {
    return ((this.#newest - sequence) & 0xffff) < this.#needed;
  }

  /** The number of the original goes before its payload (§4); returns how many packets went out. */
  #send(originals: readonly Original[]): number {
    const { isNumbered } = this.stream;
    const packets: RtpPacket[] = [];
    for (const { sequence, packet } of originals) {
      const number = isNumbered ? this.#outlet.nextNumber() : 0;
      const header = this.stream.repeat(packet.header, number);
      if (header === undefined) return 0;
      const payload = Buffer.allocUnsafe(2 + packet.payload.length);
      payload.writeUInt16BE(sequence, 0);
      payload.set(packet.payload, 2);
      packets.push({ header, payload });
    }
    if (packets.length === 0) return 0;
    const taken = this.#outlet.send(packets, isNumbered);
    for (const packet of packets.slice(0, taken)) {
      this.#counts.videoRepeatBytes += packet.header.length + packet.payload.length;
    }
    return taken;
  }
}
