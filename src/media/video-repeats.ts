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
      budget: { take: (atMs, bytes) => budget.take(atMs, bytes + wireOverheadBytes) },
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
    this.#newest = sequence;
  }

  /** Repeats lost packets as far as the budget goes, and none twice within `spacingMs`. */
  repeat(
    sequences: readonly number[],
    { nowMs, spacingMs }: { readonly nowMs: number; readonly spacingMs: number },
  ): void {
    if (!this.#isAgreed || !this.#outlet.isOpen) return;
    const lost: Original[] = [];
    for (const sequence of sequences) {
      const packet = this.#history.repeat(sequence, nowMs, spacingMs);
      if (packet !== undefined) lost.push({ sequence, packet });
    }
    this.#counts.videoRetransmitted += this.#send(lost);
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
