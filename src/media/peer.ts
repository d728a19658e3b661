import { randomBytes, randomInt } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { MicrophoneSettings } from '../audio/microphone-settings.ts';
import { type MicrophonePacket, MicrophoneReception } from './microphone-reception.ts';
import { compactNtp, type NtpClock } from './ntp-clock.ts';
import {
  agreeOnMicrophone,
  agreeOnSound,
  offerMicrophone,
  offerSound,
  type SoundAgreement,
} from './opus-sdp.ts';
import { noCounts, type PeerCounts } from './peer-counts.ts';
import { type ReceptionReport, readRtcp } from './rtcp-read.ts';
import { writeReceiverReport, writeSenderReport } from './rtcp-write.ts';
import { opusClockRate } from './rtp-clock.ts';
import { RtpHeaderTemplate, type RtpPacket } from './rtp-packet.ts';
import type { Answer } from './sdp-answer.ts';
import { SendHistory } from './send-history.ts';
import type { Transport, TransportState } from './transport.ts';

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

export interface PeerOptions {
  readonly transport: Transport;
  readonly ntp: NtpClock;
  /** CLOCK_MONOTONIC in ns, the clock of the capture times. */
  readonly nowNs: () => bigint;
  /** What the viewer's browser is asked to encode its microphone with. */
  readonly microphone: MicrophoneSettings;
}

export interface PeerEvents {
  state: [TransportState, string];
  candidate: [string];
  /** A packet of the viewer's microphone, accepted. Valid during the call only. */
  microphone: [MicrophonePacket];
  /** A message of the viewer's fast lane. Valid during the call only. */
  data: [Buffer];
  /** Whether its fast-lane channel is open now. */
  'data-channel': [boolean];
}

const soundMid = '0';
const microphoneMid = '1';
const dataMid = 'data';
const reportIntervalNs = 1_000_000_000n;
/** With no round trip measured, a NACK repeated sooner than this is for a repeat still under way. */
const defaultRepeatSpacingMs = 20;

/** What the viewer last said of its reception, in the units of the API. */
export interface Reception {
  packetsLost: number;
  fractionLost: number;
  jitterMs: number;
  roundTripMs: number;
}

/**
 * One viewer's media over one transport: the host's sound out, the microphone in, and the RTCP of
 * both. A media reset makes a new one.
 */
export class Peer extends EventEmitter<PeerEvents> {
  readonly transport: Transport;
  readonly counts: PeerCounts = noCounts();
  readonly reception: Reception = {
    packetsLost: 0,
    fractionLost: 0,
    jitterMs: 0,
    roundTripMs: -1,
  };
  readonly #ntp: NtpClock;
  readonly #nowNs: () => bigint;
  readonly #microphoneSettings: MicrophoneSettings;
  readonly #microphone: MicrophoneReception;
  readonly #ssrc = randomInt(1, 0xffffffff);
  readonly #cname = randomBytes(12).toString('base64url');
  readonly #timestampOffset = randomInt(0x100000000);
  /** In the lower half, so that the first wrap is far from the start (RFC 3711 §3.3.1). */
  #sequence = randomInt(0x8000);
  #transportSequence = 0;
  #octetsSent = 0;
  readonly #history: SendHistory;
  #agreement: (SoundAgreement & { readonly headers: RtpHeaderTemplate }) | undefined;
  #first = true;
  /** RTP time of the last packet that carried its capture time: one a second, receivers interpolate. */
  #lastCaptureTimeSent = Number.NEGATIVE_INFINITY;
  /** RTP timestamp and capture time of the same sample, for the sender reports. */
  #anchorRtp = 0;
  #anchorNs: bigint | undefined;
  #lastReportNs: bigint | undefined;

  constructor(options: PeerOptions) {
    super();
    this.transport = options.transport;
    this.#ntp = options.ntp;
    this.#nowNs = options.nowNs;
    this.#microphoneSettings = options.microphone;
    this.#microphone = new MicrophoneReception({
      mid: microphoneMid,
      counts: this.counts,
      nowNs: this.#nowNs(),
    });
    this.#history = new SendHistory({ nowMs: this.#nowMs() });
  }

  /** Jitter of the microphone's packets on their way here, in ms (RFC 3550 §6.4.1). */
  get microphoneJitterMs(): number {
    return this.#microphone.jitterMs;
  }

  /** The offer. The transport's candidates follow. */
  createOffer(): Promise<string> {
    const { transport } = this;
    transport.on('state', (state, reason) => this.emit('state', state, reason));
    transport.on('candidate', (candidate) => this.emit('candidate', candidate));
    transport.on('data', (message) => this.emit('data', message));
    transport.on('data-channel', (open) => this.emit('data-channel', open));
    transport.on('rtcp', (compound) => this.#receiveRtcp(compound));
    transport.on('rtp', ({ header, payload }) => {
      const packet = this.#microphone.receive(header, payload, this.#nowNs());
      if (packet !== undefined) this.emit('microphone', packet);
    });
    return transport.createOffer([
      offerSound({
        mid: soundMid,
        ssrc: this.#ssrc,
        cname: this.#cname,
        streamId: 'earshot-sound',
        trackId: 'host-sound',
      }),
      offerMicrophone({ mid: microphoneMid, settings: this.#microphoneSettings }),
      { kind: 'application', mid: dataMid },
    ]);
  }

  /** Throws MEDIA_NO_OPUS or MEDIA_ANSWER_INVALID; the transport is untouched then. */
  setAnswer(answer: Answer): void {
    const agreement = agreeOnSound(answer.sections, soundMid);
    const remote = answer.transport();
    const { payloadType, extensions } = agreement;
    const fixed = { payloadType, ssrc: this.#ssrc, mid: soundMid };
    this.#agreement = { ...agreement, headers: new RtpHeaderTemplate(fixed, extensions) };
    this.#microphone.agree(agreeOnMicrophone(answer.sections, microphoneMid));
    this.transport.setAnswer(remote);
  }

  /**
   * Sends one packet to this viewer, when it is connected. A packet that its socket cannot take is
   * dropped for this viewer alone; its number is spent, so that the viewer may ask for it.
   */
  sendSound(sound: SoundPacket): void {
    const agreement = this.#agreement;
    if (agreement === undefined || this.transport.state !== 'connected') return;
    const sequence = this.#sequence;
    this.#sequence = (sequence + 1) & 0xffff;
    this.#transportSequence = (this.#transportSequence + 1) & 0xffff;
    const rtp = (sound.timestamp + this.#timestampOffset) % 0x100000000;
    const header = agreement.headers.write({
      marker: sound.marker || this.#first,
      sequence,
      timestamp: rtp,
      transportSequence: this.#transportSequence,
      absCaptureTime: this.#captureTime(sound),
    });
    this.#first = false;
    this.#anchorRtp = rtp;
    this.#anchorNs = sound.captureTimeNs;
    const packet = { header, payload: sound.payload };
    this.#history.add(sequence, packet);
    this.#send(packet);
    if (this.#lastReportNs === undefined) this.#sendReport(this.#nowNs());
  }

  /** Called a few times a second: sends the report of both directions when it is due (RFC 3550 §6.2). */
  tick(): void {
    if (this.transport.state !== 'connected') return;
    const nowNs = this.#nowNs();
    const last = this.#lastReportNs;
    if (last === undefined || nowNs - last >= reportIntervalNs) this.#sendReport(nowNs);
  }

  /** Says goodbye and frees the transport; idempotent. */
  async close(): Promise<void> {
    if (this.transport.state === 'connected' && this.#anchorNs !== undefined) {
      this.#sendReport(this.#nowNs(), true);
    }
    await this.transport.close();
    this.removeAllListeners();
  }

  #send(packet: RtpPacket): void {
    if (this.transport.sendRtp([packet]) === 0) {
      this.counts.framesDropped += 1;
      return;
    }
    this.counts.packetsSent += 1;
    this.counts.bytesSent += packet.header.length + packet.payload.length;
    this.#octetsSent += packet.payload.length;
  }

  #captureTime(sound: SoundPacket): bigint | undefined {
    const isDue = sound.marker || sound.timestamp - this.#lastCaptureTimeSent >= opusClockRate;
    if (!isDue) return undefined;
    this.#lastCaptureTimeSent = sound.timestamp;
    return this.#ntp.at(sound.captureTimeNs);
  }

  #sendReport(nowNs: bigint, goodbye = false): void {
    const anchorNs = this.#anchorNs;
    const blocks = this.#microphone.reportBlocks(nowNs);
    if (anchorNs === undefined) {
      if (blocks.length === 0) return;
      this.#lastReportNs = nowNs;
      const [ssrc, cname] = [this.#ssrc, this.#cname];
      this.transport.sendRtcp(writeReceiverReport({ ssrc, cname, blocks }));
      return;
    }
    this.#lastReportNs = nowNs;
    const sinceCapture = ((nowNs - anchorNs) * BigInt(opusClockRate)) / 1_000_000_000n;
    this.transport.sendRtcp(
      writeSenderReport(
        {
          ssrc: this.#ssrc,
          ntp: this.#ntp.at(nowNs),
          rtpTimestamp: Number(BigInt.asUintN(32, BigInt(this.#anchorRtp) + sinceCapture)),
          packets: this.counts.packetsSent,
          octets: this.#octetsSent,
        },
        this.#cname,
        { blocks, goodbye },
      ),
    );
  }

  #receiveRtcp(compound: Buffer): void {
    for (const event of readRtcp(compound)) {
      switch (event.type) {
        case 'report':
          if (event.report.ssrc === this.#ssrc) this.#note(event.report);
          break;
        case 'sender-report':
          this.#microphone.noteSenderReport(event, this.#nowNs());
          break;
        case 'nack':
          if (event.ssrc === this.#ssrc && this.#agreement?.nack === true) {
            this.#repeat(event.sequences);
          }
          break;
        case 'keyframe':
        case 'transport-feedback':
        case 'bye':
          break;
      }
    }
  }

  #note(report: ReceptionReport): void {
    const { reception } = this;
    reception.packetsLost = Math.max(0, report.packetsLost);
    reception.fractionLost = report.fractionLost;
    reception.jitterMs = (report.jitter * 1_000) / opusClockRate;
    if (report.lastSenderReport === 0) return;
    // RFC 3550 §6.4.1: now − LSR − DLSR, modulo 2³²; more than half of that is a clock stepping back.
    const now = compactNtp(this.#ntp.at(this.#nowNs()));
    const roundTrip = (now - report.lastSenderReport - report.delaySinceLast) >>> 0;
    if (roundTrip < 0x80000000) reception.roundTripMs = (roundTrip * 1_000) / 65_536;
  }

  /** Sends lost packets again as they were: Opus has no RTX in browsers, and a packet repeated whole keeps its SRTP index. */
  #repeat(sequences: readonly number[]): void {
    const nowMs = this.#nowMs();
    const { roundTripMs } = this.reception;
    const spacingMs = roundTripMs < 0 ? defaultRepeatSpacingMs : Math.max(5, roundTripMs);
    for (const sequence of sequences) {
      const packet = this.#history.repeat(sequence, nowMs, spacingMs);
      if (packet === undefined) continue;
      if (this.transport.sendRtp([packet]) === 0) return;
      this.counts.packetsRetransmitted += 1;
    }
  }

  #nowMs(): number {
    return Number(this.#nowNs() / 1_000n) / 1_000;
  }
}
