import { randomInt } from 'node:crypto';
import type { NtpClock } from './ntp-clock.ts';
import type { SenderReport } from './rtcp-write.ts';
import { type ExtensionIds, RtpHeaderTemplate } from './rtp-packet.ts';

export interface RtpStreamOptions {
  readonly mid: string;
  /** RTP time units a second. */
  readonly clockRate: number;
  readonly ntp: NtpClock;
}

/** What the next packet of a stream says. */
export interface RtpStreamPacket {
  readonly marker: boolean;
  /** RTP time since the stream began, without wrapping. */
  readonly timestamp: number;
  readonly transportSequence: number;
  /** When its first sample was captured, CLOCK_MONOTONIC ns. */
  readonly captureTimeNs: bigint;
  /** Carries the capture time whatever the last one did; otherwise one packet a second does. */
  readonly withCaptureTime: boolean;
}

/**
 * One RTP stream that we send: its source, numbers and clock, and what its sender reports say
 * (RFC 3550 §5.1, §6.4.1). Numbers begin at random; a number is never used for two packets, since
 * SRTP would then use a nonce twice.
 */
export class RtpStream {
  readonly ssrc = randomInt(1, 0xffffffff);
  readonly #options: RtpStreamOptions;
  readonly #timestampOffset = randomInt(0x100000000);
  /** In the lower half, so that the first wrap is far from the start (RFC 3711 §3.3.1). */
  #sequence = randomInt(0x8000);
  #headers: RtpHeaderTemplate | undefined;
  #isNumbered = false;
  /** RTP time of the last packet that carried its capture time: receivers interpolate. */
  #lastCaptureTimeSent = Number.NEGATIVE_INFINITY;
  /** RTP timestamp and capture time of the same sample, for the sender reports. */
  #anchorRtp = 0;
  #anchorNs: bigint | undefined;
  #packets = 0;
  #octets = 0;

  constructor(options: RtpStreamOptions) {
    this.#options = options;
  }

  /** Something was sent, or at least given a number. */
  get hasBegun(): boolean {
    return this.#anchorNs !== undefined;
  }

  /** Its packets carry transport-wide numbers. */
  get isNumbered(): boolean {
    return this.#isNumbered;
  }

  agree(agreement: { readonly payloadType: number; readonly extensions: ExtensionIds }): void {
    const { payloadType, extensions } = agreement;
    const fixed = { payloadType, ssrc: this.ssrc, mid: this.#options.mid };
    this.#headers = new RtpHeaderTemplate(fixed, extensions);
    this.#isNumbered = extensions.transportSequence !== undefined;
  }

  /** What a time since the stream began is in its packets, 32 bits; one before it too. */
  rtpTime(timestamp: number): number {
    const wrap = 0x100000000;
    return (((timestamp + this.#timestampOffset) % wrap) + wrap) % wrap;
  }

  /** Header and number of the next packet; undefined before anything was agreed. */
  next(
    packet: RtpStreamPacket,
  ): { readonly header: Buffer; readonly sequence: number } | undefined {
    const headers = this.#headers;
    if (headers === undefined) return undefined;
    const sequence = this.#takeNumber();
    const { marker, transportSequence } = packet;
    const timestamp = this.rtpTime(packet.timestamp);
    const absCaptureTime = this.#captureTime(packet);
    this.#anchorRtp = timestamp;
    this.#anchorNs = packet.captureTimeNs;
    const header = headers.write({
      marker,
      sequence,
      timestamp,
      transportSequence,
      absCaptureTime,
    });
    return { header, sequence };
  }

  /** The same for a packet that repeats one of another stream, with that one's marker and 32-bit timestamp (RFC 4588 §4). */
  repeat(original: Buffer, transportSequence: number): Buffer | undefined {
    return this.#headers?.write({
      marker: original.readUInt8(1) >= 0x80,
      sequence: this.#takeNumber(),
      timestamp: original.readUInt32BE(4),
      transportSequence,
      absCaptureTime: undefined,
    });
  }

  noteSent(payloadBytes: number): void {
    this.#packets += 1;
    this.#octets += payloadBytes;
  }

  /** What there is to report at `nowNs`; undefined before the first packet. */
  report(nowNs: bigint): SenderReport | undefined {
    const anchorNs = this.#anchorNs;
    if (anchorNs === undefined) return undefined;
    const { clockRate, ntp } = this.#options;
    const sinceCapture = ((nowNs - anchorNs) * BigInt(clockRate)) / 1_000_000_000n;
    return {
      ssrc: this.ssrc,
      ntp: ntp.at(nowNs),
      rtpTimestamp: Number(BigInt.asUintN(32, BigInt(this.#anchorRtp) + sinceCapture)),
      packets: this.#packets,
      octets: this.#octets,
    };
  }

  #takeNumber(): number {
    const sequence = this.#sequence;
    this.#sequence = (sequence + 1) & 0xffff;
    return sequence;
  }

  #captureTime(packet: RtpStreamPacket): bigint | undefined {
    const { clockRate, ntp } = this.#options;
    const isDue =
      packet.withCaptureTime || packet.timestamp - this.#lastCaptureTimeSent >= clockRate;
    if (!isDue) return undefined;
    this.#lastCaptureTimeSent = packet.timestamp;
    return ntp.at(packet.captureTimeNs);
  }
}
