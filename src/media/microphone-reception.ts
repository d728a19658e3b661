import { TokenBucket } from '../rates/token-bucket.ts';
import { compactNtp } from './ntp-clock.ts';
import type { MicrophoneAgreement } from './opus-sdp.ts';
import type { PeerCounts } from './peer-counts.ts';
import { ReceptionStatistics } from './reception-statistics.ts';
import type { ReceptionBlock } from './rtcp-write.ts';
import { opusClockRate } from './rtp-clock.ts';
import { type ReceivedRtp, readExtensionText, readRtp } from './rtp-read.ts';

/**
 * A microphone sends 100 packets a second at most (RFC 7587 with 10 ms; Chromium sends no shorter
 * ones); a network that was stuck for a second hands over a burst. Whatever comes beyond it is not sound.
 */
const packetRate = { perSecond: 400, burst: 100 } as const;
/** No path carries more in one packet, and Opus at its highest rate stays far below. */
const maxPayloadBytes = 1_500;

/** One packet of the microphone with sound in it. `payload` is valid during the call only. */
export interface MicrophonePacket extends ReceivedRtp {
  /** CLOCK_MONOTONIC. */
  readonly arrivalNs: bigint;
}

/** The NTP time of a sender report, and when it came. */
interface SenderClock {
  readonly ssrc: number;
  readonly compactNtp: number;
  readonly arrivalNs: bigint;
}

/**
 * What one viewer sends as its microphone: accepts the one stream that was agreed on, counts what it
 * refuses, and knows what to report of it.
 *
 * A packet costs one parse and no copy, a refused one no more than that.
 */
export class MicrophoneReception {
  readonly #mid: string;
  readonly #counts: PeerCounts;
  readonly #bucket: TokenBucket;
  #agreement: MicrophoneAgreement | undefined;
  #source: { readonly ssrc: number; readonly statistics: ReceptionStatistics } | undefined;
  /** Loss of the sources before this one. */
  #lostBefore = 0;
  #senderClock: SenderClock | undefined;

  constructor(options: {
    readonly mid: string;
    readonly counts: PeerCounts;
    readonly nowNs: bigint;
  }) {
    this.#mid = options.mid;
    this.#counts = options.counts;
    this.#bucket = new TokenBucket({ ...packetRate, nowMs: toMs(options.nowNs) });
  }

  /** What the answer says; undefined: there is no microphone. */
  agree(agreement: MicrophoneAgreement | undefined): void {
    this.#agreement = agreement;
  }

  /** Jitter of the stream in ms (RFC 3550 A.8); 0 before there is one. */
  get jitterMs(): number {
    return this.#source?.statistics.jitterMs ?? 0;
  }

  /**
   * Judges an authenticated packet. Undefined when it was refused, or has no sound: padding only, a
   * probe of the sender's for bandwidth.
   */
  receive(header: Buffer, body: Buffer, arrivalNs: bigint): MicrophonePacket | undefined {
    const drops = this.#counts.microphoneDrops;
    const agreement = this.#agreement;
    if (agreement === undefined) {
      drops['not-agreed'] += 1;
      return undefined;
    }
    const packet = readRtp(header, body);
    if (packet === undefined) {
      drops.malformed += 1;
    } else if (packet.payloadType !== agreement.payloadType) {
      drops['payload-type'] += 1;
    } else if (!this.#isSource(packet.ssrc, header, agreement)) {
      drops.source += 1;
    } else if (!this.#bucket.take(toMs(arrivalNs))) {
      drops.rate += 1;
    } else if (packet.payload.length > maxPayloadBytes) {
      drops.oversize += 1;
    } else {
      this.#count(packet, arrivalNs);
      if (packet.payload.length > 0) return { ...packet, arrivalNs };
    }
    return undefined;
  }

  /** A sender report of the viewer's. */
  noteSenderReport(report: { readonly ssrc: number; readonly ntp: bigint }, atNs: bigint): void {
    if (report.ssrc !== this.#source?.ssrc) return;
    const { ssrc } = report;
    this.#senderClock = { ssrc, compactNtp: compactNtp(report.ntp), arrivalNs: atNs };
  }

  /** The block for the next report; empty when nothing came since the last one. */
  reportBlocks(nowNs: bigint): ReceptionBlock[] {
    const source = this.#source;
    const summary = source?.statistics.summarize();
    if (source === undefined || summary === undefined) return [];
    const { ssrc } = source;
    const clock = this.#senderClock?.ssrc === ssrc ? this.#senderClock : undefined;
    const sinceNs = clock === undefined ? 0n : nowNs - clock.arrivalNs;
    return [
      {
        ...summary,
        ssrc,
        lastSenderReport: clock?.compactNtp ?? 0,
        delaySinceLast: Number((sinceNs * 65_536n) / 1_000_000_000n),
      },
    ];
  }

  /** An answer that names its sources is taken at its word; otherwise the mid in the packet tells (RFC 8843 §9.2). */
  #isSource(ssrc: number, header: Buffer, agreement: MicrophoneAgreement): boolean {
    const { ssrcs, midExtension } = agreement;
    if (ssrcs.length > 0) return ssrcs.includes(ssrc);
    if (ssrc === this.#source?.ssrc) return true;
    return midExtension !== undefined && readExtensionText(header, midExtension) === this.#mid;
  }

  #count(packet: ReceivedRtp, arrivalNs: bigint): void {
    const statistics = this.#statisticsOf(packet.ssrc);
    const { sequence, timestamp, payload } = packet;
    statistics.add({
      sequence,
      // Padding repeats the timestamp of the sound before it.
      timestamp: payload.length > 0 ? timestamp : undefined,
      arrivalMs: toMs(arrivalNs),
    });
    this.#counts.microphonePackets += 1;
    this.#counts.microphoneBytes += payload.length;
    this.#counts.microphoneLost = Math.max(0, this.#lostBefore + statistics.packetsLost);
  }

  #statisticsOf(ssrc: number): ReceptionStatistics {
    if (this.#source?.ssrc === ssrc) return this.#source.statistics;
    this.#lostBefore = this.#counts.microphoneLost;
    const statistics = new ReceptionStatistics({ clockRate: opusClockRate });
    this.#source = { ssrc, statistics };
    return statistics;
  }
}

function toMs(ns: bigint): number {
  return Number(ns / 1_000n) / 1_000;
}
