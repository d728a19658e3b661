import type { NtpClock } from './ntp-clock.ts';
import type { SoundAgreement } from './opus-sdp.ts';
import type { PacketOutlet } from './packet-outlet.ts';
import type { PeerCounts } from './peer-counts.ts';
import { opusClockRate } from './rtp-clock.ts';
import { RtpStream } from './rtp-stream.ts';
import { SendHistory } from './send-history.ts';

/** One packet of the host's sound, the same for every viewer. */
export interface SoundPacket {
  /** Shared and kept for retransmission: nobody writes to it. */
  readonly payload: Buffer;
  readonly samples: number;
  /** RTP time since the stream began, without wrapping. */
  readonly timestamp: number;
  readonly marker: boolean;
  /** When its first sample was captured, CLOCK_MONOTONIC ns. */
  readonly captureTimeNs: bigint;
  /** Sound before it is missing at the source. */
  readonly discontinuity: boolean;
}

/** The host's sound on its way to one viewer. Never paced: it goes before everything that waits. */
export class SoundSender {
  readonly stream: RtpStream;
  readonly #outlet: PacketOutlet;
  readonly #counts: PeerCounts;
  readonly #history: SendHistory;
  #agreement: SoundAgreement | undefined;
  #first = true;

  constructor(options: {
    readonly mid: string;
    readonly outlet: PacketOutlet;
    readonly counts: PeerCounts;
    readonly ntp: NtpClock;
    readonly nowMs: number;
  }) {
    const { mid, ntp } = options;
    this.stream = new RtpStream({ mid, clockRate: opusClockRate, ntp });
    this.#outlet = options.outlet;
    this.#counts = options.counts;
    this.#history = new SendHistory({ nowMs: options.nowMs });
  }

  agree(agreement: SoundAgreement): void {
    this.#agreement = agreement;
    this.stream.agree(agreement);
  }

  /**
   * Sends one packet to this viewer, when it is connected. A packet that its socket cannot take is
   * dropped for this viewer alone; its number is spent, so that the viewer may ask for it.
   */
  send(sound: SoundPacket): void {
    if (this.#agreement === undefined || !this.#outlet.isOpen) return;
    const { isNumbered } = this.stream;
    const next = this.stream.next({
      marker: sound.marker || this.#first,
      timestamp: sound.timestamp,
      transportSequence: isNumbered ? this.#outlet.nextNumber() : 0,
      captureTimeNs: sound.captureTimeNs,
      withCaptureTime: sound.marker,
    });
    if (next === undefined) return;
    this.#first = false;
    const packet = { header: next.header, payload: sound.payload };
    this.#history.add(next.sequence, packet);
    if (this.#outlet.send([packet], isNumbered) === 0) {
      this.#counts.framesDropped += 1;
      return;
    }
    this.#counts.packetsSent += 1;
    this.#counts.bytesSent += packet.header.length + packet.payload.length;
    this.stream.noteSent(packet.payload.length);
  }

  /** Sends lost packets again as they were: Opus has no RTX in browsers, and a packet repeated whole keeps its SRTP index. */
  repeat(
    sequences: readonly number[],
    { nowMs, spacingMs }: { readonly nowMs: number; readonly spacingMs: number },
  ): void {
    if (this.#agreement?.nack !== true) return;
    for (const sequence of sequences) {
      const packet = this.#history.repeat(sequence, nowMs, spacingMs);
      if (packet === undefined) continue;
      if (!this.#outlet.sendAgain(packet)) return;
      this.#counts.packetsRetransmitted += 1;
    }
  }
}
