/** Why a microphone packet was dropped. */
export const microphoneDropReasons = [
  /** Nobody of this session has the floor. */
  'floor',
  /** The answer has no microphone. */
  'not-agreed',
  /** A length in it does not hold. */
  'malformed',
  /** Another codec than the Opus agreed on. */
  'payload-type',
  /** Another source than the microphone's. */
  'source',
  /** More packets than any microphone sends. */
  'rate',
  /** More than a packet of sound can have. */
  'oversize',
] as const;
export type MicrophoneDropReason = (typeof microphoneDropReasons)[number];
export type MicrophoneDrops = Readonly<Record<MicrophoneDropReason, number>>;

/** What one media peer has counted. */
export interface PeerCounts {
  /** Of the sound. */
  packetsSent: number;
  bytesSent: number;
  packetsRetransmitted: number;
  framesDropped: number;
  /** Of the picture: packets and their bytes, without repeats. */
  videoPackets: number;
  videoBytes: number;
  /** Pictures that went out whole, and how many of them were keyframes. */
  videoFrames: number;
  videoKeyframes: number;
  /** Pictures that this viewer missed, since its socket or its path could not take them. */
  videoFramesDropped: number;
  /** Packets repeated since the viewer asked (RFC 4588), and those repeated to see what the path carries; the bytes of both. */
  videoRetransmitted: number;
  videoPadding: number;
  videoRepeatBytes: number;
  /** Keyframes that the viewer asked for: PLI and FIR. */
  keyframesWanted: number;
  /** Packets of the microphone's stream that were accepted, and the bytes of Opus in them. */
  microphonePackets: number;
  microphoneBytes: number;
  /** Packets of it that never arrived, as far as sequence numbers tell (RFC 3550 A.3). */
  microphoneLost: number;
  readonly microphoneDrops: Record<MicrophoneDropReason, number>;
}

export function noCounts(): PeerCounts {
  return {
    packetsSent: 0,
    bytesSent: 0,
    packetsRetransmitted: 0,
    framesDropped: 0,
    videoPackets: 0,
    videoBytes: 0,
    videoFrames: 0,
    videoKeyframes: 0,
    videoFramesDropped: 0,
    videoRetransmitted: 0,
    videoPadding: 0,
    videoRepeatBytes: 0,
    keyframesWanted: 0,
    microphonePackets: 0,
    microphoneBytes: 0,
    microphoneLost: 0,
    microphoneDrops: {
      floor: 0,
      'not-agreed': 0,
      malformed: 0,
      'payload-type': 0,
      source: 0,
      rate: 0,
      oversize: 0,
    },
  };
}

const plainCounts = [
  'packetsSent',
  'bytesSent',
  'packetsRetransmitted',
  'framesDropped',
  'videoPackets',
  'videoBytes',
  'videoFrames',
  'videoKeyframes',
  'videoFramesDropped',
  'videoRetransmitted',
  'videoPadding',
  'videoRepeatBytes',
  'keyframesWanted',
  'microphonePackets',
  'microphoneBytes',
  'microphoneLost',
] as const;

/** Adds `counts` to `totals`. */
export function addCounts(totals: PeerCounts, counts: PeerCounts): void {
  for (const name of plainCounts) totals[name] += counts[name];
  for (const reason of microphoneDropReasons) {
    totals.microphoneDrops[reason] += counts.microphoneDrops[reason];
  }
}

/** Microphone packets dropped, whatever for. */
export function allDrops(drops: MicrophoneDrops): number {
  let sum = 0;
  for (const reason of microphoneDropReasons) sum += drops[reason];
  return sum;
}
