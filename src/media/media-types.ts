import type { VideoCodec } from '../ipc/video-codec.ts';
import type { FastLaneCounts } from './fast-lane-counts.ts';
import type { FastLaneStatus } from './fast-lane-sender.ts';
import type { HidCounts } from './hid-counts.ts';
import type { MicrophoneDrops } from './peer-counts.ts';
import type { TcpCounts } from './tcp-endpoint.ts';

/** Types at the border of `src/media/`: what comes in, and what it says of itself. */

/** One Opus packet on its way to every viewer. */
export interface EncodedAudioFrame {
  /** The Opus packet (RFC 6716 §3). Valid during the call only. */
  readonly payload: Buffer;
  /** Samples per channel at 48 kHz that it decodes to. */
  readonly samples: number;
  /** Time its first sample was captured, CLOCK_MONOTONIC ns. */
  readonly captureTimeNs: bigint;
  /** The source says that sound is missing before this packet (xrun, restart, device gone). */
  readonly discontinuity: boolean;
}

/** One encoded picture on its way to every viewer. */
export interface EncodedVideoFrame {
  readonly codec: VideoCodec;
  /** A VP8 frame (RFC 6386), or an H.264 access unit in Annex B with SPS and PPS before each IDR. Valid during the call only. */
  readonly payload: Buffer;
  readonly keyframe: boolean;
  /** When it was captured, CLOCK_MONOTONIC ns. */
  readonly captureTimeNs: bigint;
  /** The source says that pictures are missing before this one, or that it is of another source. */
  readonly discontinuity: boolean;
}

/** One RTP packet of the microphone of the session that holds it. */
export interface MicrophoneFrame {
  /** Id of the session. */
  readonly session: string;
  readonly ssrc: number;
  /** 16 bits; a number missing may be one of padding, without sound. */
  readonly sequence: number;
  /** 32 bits, 48 kHz (RFC 7587 §4.1). */
  readonly timestamp: number;
  readonly marker: boolean;
  /** The Opus packet as it came, 1–1,500 bytes, unchecked. Valid during the call only. */
  readonly payload: Buffer;
  /** When it arrived, CLOCK_MONOTONIC ns. */
  readonly arrivalNs: bigint;
}

export type SessionState = 'new' | 'connecting' | 'connected' | 'failed' | 'closed';

/** The picture on its way to one viewer. */
export interface VideoSendingStatus {
  readonly codec: VideoCodec;
  /** Why the viewer gets no picture, in a sentence; empty when it gets one, or may. */
  readonly reason: string;
  /** Packets and bytes with RTP headers, without repeats. */
  readonly packetsSent: number;
  readonly bytesSent: number;
  readonly framesSent: number;
  readonly keyframesSent: number;
  /** Pictures that this viewer missed, since its socket or its path could not take them. */
  readonly framesDropped: number;
  /** Packets repeated since the viewer asked (RTX), and those repeated as padding to see what the path carries. */
  readonly packetsRetransmitted: number;
  readonly packetsPadding: number;
  /** Keyframes that the viewer asked for (PLI, FIR). */
  readonly keyframesWanted: number;
  /** What its path is estimated to carry, all streams together; −1 while it gives no feedback. */
  readonly targetKbps: number;
  /** From the viewer's receiver reports, as for the sound. */
  readonly packetsLost: number;
  readonly lossPercent: number;
  readonly jitterMs: number;
  readonly roundTripMs: number;
}

/** The picture over all sessions since the process started. */
export interface VideoStats {
  /** What offers carry now; null: no picture. */
  readonly codec: VideoCodec | null;
  /** Viewers that are connected and agreed to the picture. */
  readonly viewers: number;
  /** What the encoder is asked for, by the viewer with the least bandwidth. */
  readonly bitrateKbps: number;
  readonly framesPublished: number;
  /** Published ones that are no picture: empty, no NAL unit in them, or larger than 2 MB. */
  readonly framesRefused: number;
  readonly framesSent: number;
  readonly keyframesSent: number;
  readonly framesDropped: number;
  readonly packetsSent: number;
  readonly bytesSent: number;
  readonly packetsRetransmitted: number;
  readonly packetsPadding: number;
  /** Keyframes that viewers asked for, and how often the encoder was asked for one. */
  readonly keyframesWanted: number;
  readonly keyframesRequested: number;
}

/** One viewer, as `earshot stats` and the API show it. */
export interface SessionStatus {
  readonly id: string;
  readonly state: SessionState;
  /** Why it failed, in a sentence; empty otherwise. */
  readonly reason: string;
  /** Milliseconds since the session began. */
  readonly ageMs: number;
  /** Remote candidate type in use: host, srflx, prflx, relay; empty before one is selected. */
  readonly candidateType: string;
  readonly packetsSent: number;
  readonly bytesSent: number;
  readonly packetsRetransmitted: number;
  /** From the viewer's receiver reports (RFC 3550 §6.4.1): lost packets, fraction 0–1, jitter ms, round trip ms (−1 unknown). */
  readonly packetsLost: number;
  readonly fractionLost: number;
  readonly jitterMs: number;
  readonly roundTripMs: number;
  /** Packets of the microphone that were accepted, and the bytes of Opus in them. */
  readonly microphonePackets: number;
  readonly microphoneBytes: number;
  /** What its sequence numbers and arrival times say (RFC 3550 §6.4.1): packets lost, jitter ms. */
  readonly microphoneLost: number;
  readonly microphoneJitterMs: number;
  /** Microphone packets that were dropped: refused, or of a session that does not hold the microphone. */
  readonly microphoneFramesDropped: number;
  /** Datagrams that the ingress guard refused. */
  readonly datagramsRefused: number;
  /** Null while the viewer says nothing on it. */
  readonly fastLane: FastLaneStatus | null;
  /** Absent when no picture was offered. */
  readonly video?: VideoSendingStatus;
}

/** Totals over all sessions since the process started. */
export interface MediaStats {
  readonly sessionsActive: number;
  readonly sessionsTotal: number;
  /** Times the connection to a viewer failed, when it was made or later. */
  readonly connectionsFailed: number;
  readonly framesPublished: number;
  /** Frames dropped because a viewer's socket could not take them. */
  readonly framesDropped: number;
  readonly packetsSent: number;
  readonly bytesSent: number;
  readonly packetsRetransmitted: number;
  readonly datagramsRefused: number;
  /** The TCP connections of viewers that UDP does not reach. */
  readonly tcp: Readonly<TcpCounts>;
  readonly microphonePackets: number;
  readonly microphoneBytes: number;
  readonly microphoneLost: number;
  readonly microphoneFramesDropped: number;
  /** The same by reason. */
  readonly microphoneDrops: MicrophoneDrops;
  /** RTP clock skips for real gaps in capture. */
  readonly gapsSkipped: number;
  readonly fastLane: FastLaneCounts;
  /** Messages of keyboards and pointers. */
  readonly hid: HidCounts;
  readonly video: VideoStats;
}
