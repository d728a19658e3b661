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

export type SessionState = 'new' | 'connecting' | 'connected' | 'failed' | 'closed';

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
  /** Microphone frames that arrived and were dropped, since nothing plays them yet. */
  readonly microphoneFramesDropped: number;
  /** Datagrams that the ingress guard refused. */
  readonly datagramsRefused: number;
}

/** Totals over all sessions since the process started. */
export interface MediaStats {
  readonly sessionsActive: number;
  readonly sessionsTotal: number;
  readonly framesPublished: number;
  /** Frames dropped because a viewer's socket could not take them. */
  readonly framesDropped: number;
  readonly packetsSent: number;
  readonly bytesSent: number;
  readonly packetsRetransmitted: number;
  readonly datagramsRefused: number;
  readonly microphoneFramesDropped: number;
  /** RTP clock skips for real gaps in capture. */
  readonly gapsSkipped: number;
}
