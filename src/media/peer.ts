import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { MicrophoneSettings } from '../audio/microphone-settings.ts';
import type { VideoCodec } from '../ipc/video-codec.ts';
import { BandwidthEstimator } from './bandwidth/bandwidth-estimator.ts';
import { type MicrophonePacket, MicrophoneReception } from './microphone-reception.ts';
import type { NtpClock } from './ntp-clock.ts';
import { agreeOnMicrophone, agreeOnSound } from './opus-sdp.ts';
import { PacketOutlet } from './packet-outlet.ts';
import { noCounts, type PeerCounts } from './peer-counts.ts';
import { mids, offerSections } from './peer-offer.ts';
import { noReception, noteReport, type Reception } from './reception.ts';
import {
  type ReceptionReport,
  type RtcpEvent,
  readRtcp,
  type TransportFeedback,
} from './rtcp-read.ts';
import { writeReceiverReport, writeSenderReport } from './rtcp-write.ts';
import { opusClockRate } from './rtp-clock.ts';
import type { Answer } from './sdp-answer.ts';
import { type SoundPacket, SoundSender } from './sound-sender.ts';
import type { Transport, TransportState } from './transport.ts';
import { videoClockRate } from './video-clock.ts';
import { agreeOnVideo } from './video-sdp.ts';
import { type PacketizedPicture, VideoSender } from './video-sender.ts';

export type { PacketizedPicture, SoundPacket };

/** The picture as it is offered. */
export interface PeerVideo {
  readonly codec: VideoCodec;
  /** The most that is of use, in bit/s, all streams together: nothing is looked for beyond it. */
  readonly maxBps: number;
}

export interface PeerOptions {
  readonly transport: Transport;
  readonly ntp: NtpClock;
  /** CLOCK_MONOTONIC in ns, the clock of the capture times. */
  readonly nowNs: () => bigint;
  /** What the viewer's browser is asked to encode its microphone with. */
  readonly microphone: MicrophoneSettings;
  /** Without, the offer has no section for a picture. */
  readonly video?: PeerVideo | undefined;
  /** Sound and picture in one MediaStream, which the browser plays in step, at the delay of the slower one. */
  readonly sync?: boolean | undefined;
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
  /** The viewer needs a keyframe: it begins, lost a picture, or had to drop one. */
  'keyframe-wanted': [];
  /** What its path is estimated to carry may have changed. */
  bandwidth: [];
}

const reportIntervalNs = 1_000_000_000n;
/** With no round trip measured, a NACK repeated sooner than this is for a repeat still under way. */
const defaultRepeatSpacingMs = 20;

/**
 * One viewer's media over one transport: the host's sound and picture out, the microphone in, and the
 * RTCP of all. A media reset makes a new one.
 */
export class Peer extends EventEmitter<PeerEvents> {
  readonly transport: Transport;
  readonly counts: PeerCounts = noCounts();
  readonly reception: Reception = noReception();
  readonly videoReception: Reception = noReception();
  readonly #options: PeerOptions;
  readonly #microphone: MicrophoneReception;
  readonly #cname = randomBytes(12).toString('base64url');
  /** Of the path of the moment. */
  #bandwidth: BandwidthEstimator;
  readonly #sound: SoundSender;
  readonly #video: VideoSender;
  #videoReason = '';
  #hasFeedback = false;
  #lastReportNs: bigint | undefined;
  /** Streams that a sender report has spoken of. */
  #reported = 0;

  constructor(options: PeerOptions) {
    super();
    this.#options = options;
    const { transport, ntp, video } = options;
    this.transport = transport;
    const { counts } = this;
    this.#microphone = new MicrophoneReception({
      mid: mids.microphone,
      counts,
      nowNs: options.nowNs(),
    });
    this.#bandwidth = makeEstimator(video);
    const nowMs = (): number => this.#nowMs();
    const outlet = new PacketOutlet({
      transport,
      witness: { packetSent: (packet) => this.#bandwidth.packetSent(packet) },
      nowMs,
    });
    this.#sound = new SoundSender({ mid: mids.sound, outlet, counts, ntp, nowMs: nowMs() });
    this.#video = new VideoSender({
      mid: mids.video,
      outlet,
      counts,
      ntp,
      nowMs,
      targetBps: () => this.targetBps,
      queueMs: () => this.#bandwidth.queueMs,
      onKeyframeWanted: () => this.emit('keyframe-wanted'),
    });
  }

  /** Jitter of the microphone's packets on their way here, in ms (RFC 3550 §6.4.1). */
  get microphoneJitterMs(): number {
    return this.#microphone.jitterMs;
  }

  /** What the viewer's path carries, in bit/s, all streams together; undefined while it gives no feedback. */
  get targetBps(): number | undefined {
    return this.#hasFeedback ? this.#bandwidth.targetBps : undefined;
  }

  /** It is connected and agreed to the picture. */
  get seesVideo(): boolean {
    return this.#video.agreement !== undefined && this.transport.state === 'connected';
  }

  /** Why the viewer gets no picture although one was offered, in a sentence; empty otherwise. */
  get videoReason(): string {
    return this.#videoReason;
  }

  /** The codec that was offered. */
  get videoCodec(): VideoCodec | undefined {
    return this.#options.video?.codec;
  }

  /** What the picture's 90 kHz time since the stream began is to this viewer, 32 bits. */
  videoRtpTime(timestamp: number): number {
    return this.#video.stream.rtpTime(timestamp);
  }

  /** The offer. The transport's candidates follow. */
  createOffer(): Promise<string> {
    const { transport } = this;
    transport.on('state', (state, reason) => {
      this.emit('state', state, reason);
      if (state === 'connected') this.#video.start();
    });
    transport.on('candidate', (candidate) => this.emit('candidate', candidate));
    transport.on('data', (message) => this.emit('data', message));
    transport.on('data-channel', (open) => this.emit('data-channel', open));
    transport.on('restarted', () => this.#beginEstimate());
    transport.on('rtcp', (compound) => this.#receiveRtcp(compound));
    transport.on('rtp', ({ header, payload }) => {
      const packet = this.#microphone.receive(header, payload, this.#options.nowNs());
      if (packet !== undefined) this.emit('microphone', packet);
    });
    const { microphone, video, sync = false } = this.#options;
    return transport.createOffer(
      offerSections({
        cname: this.#cname,
        soundSsrc: this.#sound.stream.ssrc,
        microphone,
        video: video && {
          codec: video.codec,
          ssrc: this.#video.stream.ssrc,
          rtxSsrc: this.#video.repeatSsrc,
        },
        sync,
      }),
    );
  }

  /** Throws MEDIA_NO_OPUS or MEDIA_ANSWER_INVALID; the transport is untouched then. A picture that is refused is no error. */
  setAnswer(answer: Answer): void {
    const { sections } = answer;
    const sound = agreeOnSound(sections, mids.sound);
    const remote = answer.transport();
    this.#sound.agree(sound);
    this.#microphone.agree(agreeOnMicrophone(sections, mids.microphone));
    const codec = this.videoCodec;
    if (codec !== undefined) {
      const video = agreeOnVideo(sections, { mid: mids.video, codec });
      if (typeof video === 'string') this.#videoReason = video;
      else this.#video.agree(video);
    }
    this.transport.setAnswer(remote);
  }

  /** Sends one packet of sound to this viewer, when it is connected. */
  sendSound(sound: SoundPacket): void {
    this.#sound.send(sound);
    this.#pad();
    this.#reportNew();
  }

  /** Whether this viewer is to get the picture: it is connected, agreed to the codec, and does not wait for a keyframe. */
  takesVideo(picture: { readonly codec: VideoCodec; readonly keyframe: boolean }): boolean {
    return this.#video.takes(picture);
  }

  /** Sends a picture that this viewer takes. */
  sendVideo(picture: PacketizedPicture): void {
    this.#video.send(picture);
    this.#pad();
    this.#reportNew();
  }

  /** Called a few times a second: sends the report of all directions when it is due (RFC 3550 §6.2). */
  tick(): void {
    if (this.transport.state !== 'connected') return;
    const nowNs = this.#options.nowNs();
    const last = this.#lastReportNs;
    if (last === undefined || nowNs - last >= reportIntervalNs) this.#sendReport(nowNs);
    this.#video.tick();
  }

  /** Says goodbye and frees the transport; idempotent. */
  async close(): Promise<void> {
    this.#video.stop();
    if (this.transport.state === 'connected' && this.#begun() > 0) {
      this.#sendReport(this.#options.nowNs(), true);
    }
    await this.transport.close();
    this.removeAllListeners();
  }

  /** What the estimator wants to see carried beyond sound and picture: asked with each of them, every 10 or 20 ms. */
  #pad(): void {
    if (!this.seesVideo || !this.#hasFeedback) return;
    const bytes = this.#bandwidth.paddingBytes(this.#nowMs());
    if (bytes > 0) this.#video.pad(bytes);
  }

  #begun(): number {
    return Number(this.#sound.stream.hasBegun) + Number(this.#video.stream.hasBegun);
  }

  /** A stream that has just begun is reported at once: the viewer needs the report to play streams in step. */
  #reportNew(): void {
    if (this.#begun() > this.#reported) this.#sendReport(this.#options.nowNs());
  }

  #sendReport(nowNs: bigint, goodbye = false): void {
    const cname = this.#cname;
    const blocks = this.#microphone.reportBlocks(nowNs);
    const reports = [this.#sound.stream.report(nowNs), this.#video.stream.report(nowNs)].filter(
      (report) => report !== undefined,
    );
    if (reports.length > 0) {
      this.#reported = reports.length;
      const parts = reports.map((report, index) =>
        writeSenderReport(report, cname, { goodbye, ...(index === 0 && { blocks }) }),
      );
      this.transport.sendRtcp(Buffer.concat(parts));
    } else if (blocks.length > 0) {
      const { ssrc } = this.#sound.stream;
      this.transport.sendRtcp(writeReceiverReport({ ssrc, cname, blocks }));
    } else return;
    this.#lastReportNs = nowNs;
  }

  #receiveRtcp(compound: Buffer): void {
    for (const event of readRtcp(compound)) this.#heed(event);
  }

  #heed(event: RtcpEvent): void {
    const video = this.#video.stream.ssrc;
    switch (event.type) {
      case 'report':
        this.#note(event.report);
        return;
      case 'sender-report':
        this.#microphone.noteSenderReport(event, this.#options.nowNs());
        return;
      case 'nack':
        this.#repeat(event.ssrc, event.sequences);
        return;
      case 'keyframe':
        if (event.ssrc === video) this.#video.pictureLost();
        return;
      case 'full-intra':
        if (event.ssrc === video) this.#video.fullIntra(event);
        return;
      case 'transport-feedback':
        this.#takeFeedback(event.feedback);
        return;
      case 'bye':
        return;
    }
  }

  /** Another path: what the one before carried, and its delays, say nothing of it. */
  #beginEstimate(): void {
    this.#bandwidth = makeEstimator(this.#options.video);
    this.emit('bandwidth');
  }

  #takeFeedback(feedback: TransportFeedback): void {
    this.#bandwidth.feedback(feedback, this.#nowMs());
    this.#hasFeedback = true;
    this.emit('bandwidth');
  }

  #note(report: ReceptionReport): void {
    const isVideo = report.ssrc === this.#video.stream.ssrc;
    if (!isVideo && report.ssrc !== this.#sound.stream.ssrc) return;
    const reception = isVideo ? this.videoReception : this.reception;
    noteReport(reception, report, {
      clockRate: isVideo ? videoClockRate : opusClockRate,
      ntp: this.#options.ntp.at(this.#options.nowNs()),
    });
    // The picture's packets are the many; those of the sound say little of the path beside them.
    if (isVideo || !this.#video.stream.hasBegun) {
      this.#bandwidth.loss({ fractionLost: report.fractionLost, nowMs: this.#nowMs() });
    }
  }

  #repeat(ssrc: number, sequences: readonly number[]): void {
    const isVideo = ssrc === this.#video.stream.ssrc;
    if (!isVideo && ssrc !== this.#sound.stream.ssrc) return;
    const { roundTripMs } = isVideo ? this.videoReception : this.reception;
    const spacingMs = roundTripMs < 0 ? defaultRepeatSpacingMs : Math.max(5, roundTripMs);
    const sender = isVideo ? this.#video : this.#sound;
    sender.repeat(sequences, { nowMs: this.#nowMs(), spacingMs });
  }

  #nowMs(): number {
    return Number(this.#options.nowNs() / 1_000n) / 1_000;
  }
}

function makeEstimator(video: PeerVideo | undefined): BandwidthEstimator {
  return new BandwidthEstimator(video === undefined ? {} : { maxBps: video.maxBps });
}
