import type { VideoCodec } from '../ipc/video-codec.ts';
import type { NtpClock } from './ntp-clock.ts';
import type { PacketOutlet } from './packet-outlet.ts';
import { wireOverheadBytes } from './packet-size.ts';
import type { PeerCounts } from './peer-counts.ts';
import type { RtpPacket } from './rtp-packet.ts';
import { RtpStream } from './rtp-stream.ts';
import { videoClockRate } from './video-clock.ts';
import { VideoPacer } from './video-pacer.ts';
import { VideoRepeats } from './video-repeats.ts';
import type { VideoAgreement } from './video-sdp.ts';

/** One picture in packets, the same for every viewer. */
export interface PacketizedPicture {
  readonly codec: VideoCodec;
  /** RTP payloads in order, at least one. Shared and kept for retransmission: nobody writes to them. */
  readonly payloads: readonly Buffer[];
  /** Of all payloads together. */
  readonly bytes: number;
  /** 90 kHz since the stream began, without wrapping. */
  readonly timestamp: number;
  readonly keyframe: boolean;
  /** When it was captured, CLOCK_MONOTONIC ns. */
  readonly captureTimeNs: bigint;
}

/** How often packets that wait are looked at. */
const paceMs = 5;
/** A picture that has waited for longer is late, and a keyframe, which takes its time, for so much longer. */
const lateAfterMs = 100;
const lateKeyframeAfterMs = 300;
/** Where repeats would take longer, a keyframe is the quicker way. */
const lateRepeatMs = 250;
/** A keyframe that lost packets is mended for so long: the next one would go the same way. */
const mendMs = 3_000;
/** What a keyframe takes from being asked for to the first of its packets, at least. */
const keyframeMs = 50;
const longestQueueMs = 500;
/** Pictures that may wait: more than fit into the time that they may wait for. */
const maxWaiting = 64;
/** While the viewer's bandwidth is not known: what the picture gets then, and sound. */
const unknownTargetBps = 2_000_000;
/** A keyframe that was asked for and did not come is asked for again. */
const askAgainMs = 1_000;
/**
 * A keyframe costs every viewer: one that has just had one and dropped pictures again asks after this,
 * and after twice as long each time that it happens within some seconds.
 */
const firstRestMs = 500;
const longestRestMs = 4_000;
const forgivenAfterMs = 10_000;
interface Waiting {
  readonly picture: PacketizedPicture;
  /** Index of its next payload. */
  next: number;
  readonly lateMs: number;
}

export interface VideoSenderOptions {
  readonly mid: string;
  readonly outlet: PacketOutlet;
  readonly counts: PeerCounts;
  readonly ntp: NtpClock;
  readonly nowMs: () => number;
  /** What the viewer's path carries, in bit/s; undefined while nothing is known. */
  readonly targetBps: () => number | undefined;
  /** How long a packet sent now waits on the path, in ms; 0 while nothing is known. */
  readonly queueMs: () => number;
  readonly onKeyframeWanted: () => void;
}

/**
 * The host's picture on its way to one viewer. It begins with a keyframe; a keyframe larger than the
 * path takes at once leaves over some milliseconds, sound in between. When pictures had to be dropped
 * (socket full, or more than the path carries), nothing goes until the next keyframe, which is asked
 * for. What is lost on the way is repeated.
 *
 * A packet costs a header (one allocation) and its encryption; the payload is the hub's.
 */
export class VideoSender {
  readonly stream: RtpStream;
  readonly #options: VideoSenderOptions;
  readonly #outlet: PacketOutlet;
  readonly #counts: PeerCounts;
  readonly #pacer: VideoPacer;
  readonly #repeats: VideoRepeats;
  readonly #waiting: Waiting[] = [];
  #agreement: VideoAgreement | undefined;
  #needsKeyframe = true;
  /** It has shown something before: what it misses now was dropped. */
  #hasBegun = false;
  /** When it asks for a keyframe, if none came. */
  #askAtMs = Number.NEGATIVE_INFINITY;
  #droppedMs = Number.NEGATIVE_INFINITY;
  /** When it was given the last keyframe. */
  #keyframeMs = Number.NEGATIVE_INFINITY;
  #restMs = 0;
  /** The last full intra request obeyed: who gave it, and its number. */
  #intra: { readonly from: number; readonly command: number } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: VideoSenderOptions) {
    const { mid, ntp } = options;
    this.#options = options;
    this.#outlet = options.outlet;
    this.#counts = options.counts;
    this.stream = new RtpStream({ mid, clockRate: videoClockRate, ntp });
    const nowMs = options.nowMs();
    this.#pacer = new VideoPacer({ targetBps: unknownTargetBps, nowMs });
    this.#repeats = new VideoRepeats({
      mid,
      ntp,
      outlet: options.outlet,
      counts: options.counts,
      nowMs,
      budget: { take: (_nowMs, bytes) => this.#pacer.takeRepeat(bytes) },
    });
  }

  /** Source of the stream in which lost packets are sent again. */
  get repeatSsrc(): number {
    return this.#repeats.stream.ssrc;
  }

  get agreement(): VideoAgreement | undefined {
    return this.#agreement;
  }

  agree(agreement: VideoAgreement): void {
    this.#agreement = agreement;
    const { payloadType, rtxPayloadType, extensions } = agreement;
    this.stream.agree({ payloadType, extensions });
    this.#repeats.agree(
      rtxPayloadType === undefined ? undefined : { payloadType: rtxPayloadType, extensions },
    );
  }

  /** The viewer is connected: it needs a keyframe to begin, or to go on. */
  start(): void {
    if (this.#agreement !== undefined) this.#askForKeyframe(this.#options.nowMs());
  }

  /** Whether the viewer is to get this picture; one that it misses by its own fault is counted. */
  takes(picture: { readonly codec: VideoCodec; readonly keyframe: boolean }): boolean {
    if (this.#agreement?.codec !== picture.codec || !this.#outlet.isOpen) return false;
    if (!this.#needsKeyframe || picture.keyframe) return true;
    if (this.#hasBegun) this.#counts.videoFramesDropped += 1;
    return false;
  }

  /** Sends a picture that it takes: at once as far as the pace allows, the rest in steps. */
  send(picture: PacketizedPicture): void {
    const { keyframe, bytes } = picture;
    if (this.#needsKeyframe && !keyframe) return;
    const nowMs = this.#options.nowMs();
    this.#needsKeyframe = false;
    this.#hasBegun = true;
    const lateMs = nowMs + (keyframe ? lateKeyframeAfterMs : lateAfterMs);
    this.#advance(nowMs);
    if (keyframe) {
      this.#pacer.expectKeyframe(bytes);
      this.#keyframeMs = nowMs;
    }
    this.#waiting.push({
      picture,
      next: 0,
      // What waits behind a keyframe that takes its time is not late for it.
      lateMs: Math.max(lateMs, this.#waiting.at(-1)?.lateMs ?? 0),
    });
    if (this.#waiting.length > maxWaiting) this.#skipToKeyframe(nowMs);
    this.#drain(nowMs);
  }

  /** Called a few times a second: asks for a keyframe that is due, or again for one that did not come. */
  tick(): void {
    if (this.#agreement === undefined || !this.#needsKeyframe || !this.#outlet.isOpen) return;
    const nowMs = this.#options.nowMs();
    if (nowMs >= this.#askAtMs) this.#askForKeyframe(nowMs);
  }

  /** The viewer lost a picture (PLI). */
  pictureLost(): void {
    if (this.#agreement === undefined) return;
    this.#counts.keyframesWanted += 1;
    this.#askForKeyframe(this.#options.nowMs());
  }

  /** The viewer commands a keyframe (FIR); the same number again is the same command (RFC 5104 §4.3.1.2). */
  fullIntra(request: { readonly from: number; readonly command: number }): void {
    const { from, command } = request;
    if (this.#intra?.from === from && this.#intra.command === command) return;
    this.#intra = { from, command };
    this.pictureLost();
  }

  /**
   * Repeats lost packets as far as their share of the bitrate goes, and none twice within `spacingMs`. When so much was
   * lost that this takes too long, the viewer gets a keyframe, and nothing that it cannot use meanwhile.
   */
  repeat(
    sequences: readonly number[],
    timing: { readonly nowMs: number; readonly spacingMs: number },
  ): void {
    // Nothing before the keyframe that is to come is of use.
    if (this.#needsKeyframe) return;
    this.#advance(timing.nowMs);
    const owedBytes = this.#repeats.repeat(sequences, timing);
    const isInTime = this.#pacer.repeatMs(owedBytes) <= lateRepeatMs;
    if (isInTime || timing.nowMs - this.#keyframeMs < mendMs) return;
    this.#counts.videoFramesDropped += this.#waiting.length;
    this.#waiting.length = 0;
    this.#awaitKeyframe(timing.nowMs);
  }

  /** Sends about so many bytes of padding, unless packets wait, which then serve as well. */
  pad(bytes: number): void {
    if (this.#waiting.length === 0) this.#repeats.pad(bytes);
  }

  /** Ends what waits; idempotent. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting.length = 0;
  }

  #advance(nowMs: number): void {
    this.#pacer.advance(nowMs, this.#options.targetBps() ?? unknownTargetBps);
  }

  #drain(nowMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (let head = this.#waiting[0]; head !== undefined; head = this.#waiting[0]) {
      if (nowMs > head.lateMs || !this.#sendSome(head)) this.#skipToKeyframe(nowMs);
      else if (head.next < head.picture.payloads.length) break;
      else this.#finish(head.picture);
    }
    if (this.#waiting.length === 0) {
      this.#pacer.rest();
      return;
    }
    this.#timer = setTimeout(() => {
      const laterMs = this.#options.nowMs();
      this.#advance(laterMs);
      this.#drain(laterMs);
    }, paceMs);
  }

  /** Sends what may leave now of a picture as one batch; false when the socket did not take all of it. */
  #sendSome(waiting: Waiting): boolean {
    const { payloads, timestamp, keyframe, captureTimeNs } = waiting.picture;
    if (keyframe && waiting.next === 0) this.#repeats.beginKeyframe();
    const { isNumbered } = this.stream;
    const packets: RtpPacket[] = [];
    let sequence = 0;
    while (waiting.next < payloads.length && this.#pacer.isOpen) {
      const index = waiting.next;
      const payload = payloads[index];
      const next = this.stream.next({
        marker: index === payloads.length - 1,
        timestamp,
        transportSequence: isNumbered ? this.#outlet.nextNumber() : 0,
        captureTimeNs,
        withCaptureTime: keyframe && index === 0,
      });
      if (payload === undefined || next === undefined) return false;
      waiting.next += 1;
      packets.push({ header: next.header, payload });
      sequence = next.sequence;
      this.#pacer.spend(next.header.length + payload.length + wireOverheadBytes);
    }
    if (packets.length === 0) return true;
    const taken = this.#outlet.send(packets, isNumbered);
    for (const [index, packet] of packets.entries()) {
      if (index >= taken) break;
      this.#note(packet, (sequence - packets.length + 1 + index) & 0xffff);
    }
    return taken === packets.length;
  }

  #note(packet: RtpPacket, sequence: number): void {
    this.#repeats.add(sequence, packet);
    this.stream.noteSent(packet.payload.length);
    this.#counts.videoPackets += 1;
    this.#counts.videoBytes += packet.header.length + packet.payload.length;
  }

  #finish(picture: PacketizedPicture): void {
    this.#waiting.shift();
    this.#counts.videoFrames += 1;
    if (picture.keyframe) this.#counts.videoKeyframes += 1;
  }

  /** Drops what waits up to the next whole keyframe; with none there, one is asked for and nothing goes before it. */
  #skipToKeyframe(nowMs: number): void {
    do {
      this.#waiting.shift();
      this.#counts.videoFramesDropped += 1;
    } while (this.#waiting[0]?.picture.keyframe === false);
    if (this.#waiting.length === 0) this.#awaitKeyframe(nowMs);
  }

  /**
   * Nothing goes before a keyframe, which is asked for: when the path's queue is gone, which it would have to wait for
   * or be dropped by, and later if that happens again and again.
   */
  #awaitKeyframe(nowMs: number): void {
    this.#needsKeyframe = true;
    const isAgain = nowMs - this.#droppedMs < forgivenAfterMs;
    this.#restMs = isAgain ? Math.min(Math.max(this.#restMs * 2, firstRestMs), longestRestMs) : 0;
    this.#droppedMs = nowMs;
    const queueMs = Math.min(this.#options.queueMs() - keyframeMs, longestQueueMs);
    const waitMs = Math.max(this.#restMs, queueMs, 0);
    this.#askAtMs = nowMs + waitMs;
    clearTimeout(this.#timer);
    if (waitMs === 0) this.#askForKeyframe(nowMs);
    else this.#timer = setTimeout(() => this.tick(), Math.ceil(waitMs) + 1);
  }

  #askForKeyframe(nowMs: number): void {
    this.#askAtMs = nowMs + askAgainMs;
    this.#options.onKeyframeWanted();
  }
}
