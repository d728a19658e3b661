import type { VideoCodec } from '../ipc/video-codec.ts';
import { defaultMaxKbps, pictureShare, VideoRate } from './bandwidth/video-rate.ts';
import { KeyframeRequests } from './keyframe-requests.ts';
import type { EncodedVideoFrame, VideoSendingStatus, VideoStats } from './media-types.ts';
import type { Peer, PeerVideo } from './peer.ts';
import type { PeerCounts } from './peer-counts.ts';
import type { PacketizedPicture } from './video-sender.ts';
import { VideoStream } from './video-stream.ts';

/** The picture in offers. */
export interface OfferedVideo {
  readonly codec: VideoCodec;
  /** Range of its bitrate (config `video.minKbps` and `video.maxKbps`); 500 and 1,800 by default. */
  readonly minKbps?: number;
  readonly maxKbps?: number;
}

export interface VideoBroadcastOptions {
  readonly nowMs: () => number;
  /** The encoder is to make a keyframe; at most once in 300 ms. */
  readonly onKeyframeWanted: () => void;
  /** So many viewers see the picture now: connected, and agreed to it. */
  readonly onViewers: (count: number) => void;
  /** The encoder is to be set to so many kbps. */
  readonly onBitrate: (kbps: number) => void;
}

/**
 * The picture on its way to all viewers: put into packets once, and only when somebody takes it; what
 * the viewers ask of the encoder comes together here. `Key` is what stands for a viewer, whose peer
 * may be replaced.
 */
export class VideoBroadcast<Key extends object> {
  readonly #options: VideoBroadcastOptions;
  readonly #peers = new Map<Key, Peer>();
  readonly #stream = new VideoStream();
  readonly #requests: KeyframeRequests;
  #rate = new VideoRate();
  #offered: OfferedVideo | undefined;
  #viewers = 0;
  #framesPublished = 0;
  #keyframesRequested = 0;

  constructor(options: VideoBroadcastOptions) {
    this.#options = options;
    this.#requests = new KeyframeRequests({
      nowMs: options.nowMs,
      pass: () => {
        this.#keyframesRequested += 1;
        options.onKeyframeWanted();
      },
    });
  }

  /** What offers carry from now on; undefined: no picture. Throws a RangeError when the range of bitrates is empty. */
  set(video: OfferedVideo | undefined): void {
    const { minKbps, maxKbps } = video ?? {};
    this.#rate = new VideoRate({
      ...(minKbps !== undefined && { minKbps }),
      ...(maxKbps !== undefined && { maxKbps }),
    });
    this.#offered = video;
    if (video !== undefined) this.#options.onBitrate(this.#rate.kbps);
    this.#updateRate();
  }

  /** For the next peer. */
  get offer(): PeerVideo | undefined {
    if (this.#offered === undefined) return undefined;
    const { codec, maxKbps = defaultMaxKbps } = this.#offered;
    // More than gives the picture its best is not looked for: that would be padding.
    return { codec, maxBps: Math.ceil((maxKbps * 1_000) / pictureShare) };
  }

  /** The peer of a viewer, in place of the one that it had. */
  follow(viewer: Key, peer: Peer): void {
    this.#peers.set(viewer, peer);
    peer.on('keyframe-wanted', () => this.requestKeyframe());
    peer.on('bandwidth', () => this.#updateRate());
    peer.on('state', () => this.#countViewers());
    this.#countViewers();
  }

  forget(viewer: Key): void {
    this.#peers.delete(viewer);
    this.#countViewers();
  }

  /** Sends one picture to everyone who takes it. Costs one copy of it, and nothing with nobody there. */
  publish(frame: EncodedVideoFrame): void {
    this.#framesPublished += 1;
    let picture: PacketizedPicture | undefined;
    for (const peer of this.#peers.values()) {
      if (!peer.takesVideo(frame)) continue;
      picture ??= this.#packetize(frame);
      if (picture === undefined) return;
      peer.sendVideo(picture);
    }
  }

  /** RTP time of what was captured then, 32 bits, as this viewer sees it; undefined when it sees nothing. */
  rtpTime(viewer: Key, captureTimeNs: bigint): number | undefined {
    const peer = this.#peers.get(viewer);
    const timestamp = this.#stream.timestampOf(captureTimeNs);
    return peer?.seesVideo === true && timestamp !== undefined
      ? peer.videoRtpTime(timestamp)
      : undefined;
  }

  /** Whatever is published next builds on what was not sent: viewers need a keyframe. At most one in 300 ms, as for their own wishes. */
  requestKeyframe(): void {
    this.#requests.request();
  }

  /** Called a few times a second. */
  tick(): void {
    this.#countViewers();
    this.#updateRate();
  }

  /** The picture of one viewer; `counts` are those of all its peers. Undefined when none was offered to it. */
  status(viewer: Key, counts: PeerCounts): VideoSendingStatus | undefined {
    const peer = this.#peers.get(viewer);
    const codec = peer?.videoCodec;
    if (peer === undefined || codec === undefined) return undefined;
    const { targetBps, videoReception: reception } = peer;
    return {
      codec,
      reason: this.#reasonFor(peer, codec),
      packetsSent: counts.videoPackets,
      bytesSent: counts.videoBytes,
      framesSent: counts.videoFrames,
      keyframesSent: counts.videoKeyframes,
      framesDropped: counts.videoFramesDropped,
      packetsRetransmitted: counts.videoRetransmitted,
      packetsPadding: counts.videoPadding,
      keyframesWanted: counts.keyframesWanted,
      targetKbps: targetBps === undefined ? -1 : Math.round(targetBps / 1_000),
      packetsLost: reception.packetsLost,
      lossPercent: reception.fractionLost * 100,
      jitterMs: reception.jitterMs,
      roundTripMs: reception.roundTripMs,
    };
  }

  stats(counts: PeerCounts): VideoStats {
    return {
      codec: this.#offered?.codec ?? null,
      viewers: this.#viewers,
      bitrateKbps: this.#rate.kbps,
      framesPublished: this.#framesPublished,
      framesRefused: this.#stream.refused,
      framesSent: counts.videoFrames,
      keyframesSent: counts.videoKeyframes,
      framesDropped: counts.videoFramesDropped,
      packetsSent: counts.videoPackets,
      bytesSent: counts.videoBytes,
      packetsRetransmitted: counts.videoRetransmitted,
      packetsPadding: counts.videoPadding,
      keyframesWanted: counts.keyframesWanted,
      keyframesRequested: this.#keyframesRequested,
    };
  }

  /** Forgets every viewer and what they asked for; idempotent. */
  stop(): void {
    this.#requests.stop();
    this.#peers.clear();
    this.#countViewers();
  }

  #packetize(frame: EncodedVideoFrame): PacketizedPicture | undefined {
    const picture = this.#stream.packetize(frame);
    // Before it is sent: whoever cannot take it asks anew.
    if (picture?.keyframe === true) this.#requests.answered();
    return picture;
  }

  #reasonFor(peer: Peer, codec: VideoCodec): string {
    if (peer.videoReason !== '') return peer.videoReason;
    if (this.#offered?.codec === codec) return '';
    return 'The device encodes its picture in another way than when this viewer connected; reload the page.';
  }

  #countViewers(): void {
    let viewers = 0;
    for (const peer of this.#peers.values()) if (peer.seesVideo) viewers += 1;
    if (viewers === this.#viewers) return;
    this.#viewers = viewers;
    this.#updateRate();
    this.#options.onViewers(viewers);
  }

  #updateRate(): void {
    const kbps = this.#rate.update(this.#targets(), this.#options.nowMs());
    if (kbps !== undefined) this.#options.onBitrate(kbps);
  }

  *#targets(): Generator<number | undefined> {
    for (const peer of this.#peers.values()) if (peer.seesVideo) yield peer.targetBps;
  }
}
