import { type Entry, entriesOf, growth, number, ratio, type StatsReport, scaled } from './stats.ts';

/**
 * Numbers of the received picture from `RTCPeerConnection.getStats()` (W3C webrtc-stats), as `stats.ts`
 * has them of the sound. A field that the browser does not give is undefined.
 */

/** Counts since the picture began. */
export interface VideoTotals {
  readonly framesDecoded: number | undefined;
  readonly framesDropped: number | undefined;
  readonly keyFramesDecoded: number | undefined;
  readonly freezes: number | undefined;
  readonly freezesMs: number | undefined;
  /** Asked of the device: key frames (RFC 4585 §6.3.1), and packets again (§6.2.1). */
  readonly plis: number | undefined;
  readonly nacks: number | undefined;
}

/** What is read of one report. */
export interface VideoSnapshot extends VideoTotals {
  /** The report's own time in ms (Unix epoch). */
  readonly timestampMs: number;
  readonly bytesReceived: number | undefined;
  readonly packetsReceived: number | undefined;
  readonly packetsLost: number | undefined;
  readonly jitterBufferDelayS: number | undefined;
  readonly jitterBufferEmitted: number | undefined;
  readonly decodeS: number | undefined;
  readonly framesPerSecond: number | undefined;
  readonly width: number | undefined;
  readonly height: number | undefined;
  /** E.g. `VP8`; undefined before it is known. */
  readonly codec: string | undefined;
}

/** What happened between two snapshots, and how it stands at the second. */
export interface VideoNumbers extends VideoTotals {
  readonly codec: string | undefined;
  readonly width: number | undefined;
  readonly height: number | undefined;
  /** Pictures decoded in a second. */
  readonly framesPerSecond: number | undefined;
  readonly bitrateKbps: number | undefined;
  /** Mean time in the jitter buffer, of the pictures that left it in between. */
  readonly jitterBufferMs: number | undefined;
  readonly decodeMs: number | undefined;
  /** Packets lost of those expected, 0–100. */
  readonly lossPercent: number | undefined;
}

/** Reads a report; undefined while it has no received picture. */
export function readVideoStats(report: StatsReport): VideoSnapshot | undefined {
  const entries = entriesOf(report);
  const inbound = entries.find(({ type, kind }) => type === 'inbound-rtp' && kind === 'video');
  const timestampMs = number(inbound, 'timestamp');
  if (inbound === undefined || timestampMs === undefined) return undefined;
  return {
    timestampMs,
    bytesReceived: number(inbound, 'bytesReceived'),
    packetsReceived: number(inbound, 'packetsReceived'),
    packetsLost: number(inbound, 'packetsLost'),
    jitterBufferDelayS: number(inbound, 'jitterBufferDelay'),
    jitterBufferEmitted: number(inbound, 'jitterBufferEmittedCount'),
    decodeS: number(inbound, 'totalDecodeTime'),
    framesPerSecond: number(inbound, 'framesPerSecond'),
    width: number(inbound, 'frameWidth'),
    height: number(inbound, 'frameHeight'),
    codec: codecOf(entries, inbound),
    framesDecoded: number(inbound, 'framesDecoded'),
    framesDropped: number(inbound, 'framesDropped'),
    keyFramesDecoded: number(inbound, 'keyFramesDecoded'),
    freezes: number(inbound, 'freezeCount'),
    freezesMs: scaled(number(inbound, 'totalFreezesDuration'), 1_000),
    plis: number(inbound, 'pliCount'),
    nacks: number(inbound, 'nackCount'),
  };
}

/** What happened between two snapshots of one track, the older first. */
export function videoBetween(before: VideoSnapshot, after: VideoSnapshot): VideoNumbers {
  const elapsedMs = growth(before.timestampMs, after.timestampMs);
  const decoded = growth(before.framesDecoded, after.framesDecoded);
  const received = growth(before.packetsReceived, after.packetsReceived);
  // The counter may fall (RFC 3550 §6.4.1: duplicates), which reads as none lost.
  const lost = Math.max(0, (after.packetsLost ?? 0) - (before.packetsLost ?? 0));
  const bufferS = growth(before.jitterBufferDelayS, after.jitterBufferDelayS);
  const emitted = growth(before.jitterBufferEmitted, after.jitterBufferEmitted);
  const { codec, width, height } = after;
  const { framesDecoded, framesDropped, keyFramesDecoded, freezes, freezesMs, plis, nacks } = after;
  return {
    codec,
    width,
    height,
    framesPerSecond: after.framesPerSecond ?? scaled(ratio(decoded, elapsedMs), 1_000),
    bitrateKbps: scaled(ratio(growth(before.bytesReceived, after.bytesReceived), elapsedMs), 8),
    jitterBufferMs: scaled(ratio(bufferS, emitted), 1_000),
    decodeMs: scaled(ratio(growth(before.decodeS, after.decodeS), decoded), 1_000),
    lossPercent: scaled(ratio(lost, received === undefined ? undefined : lost + received), 100),
    framesDecoded,
    framesDropped,
    keyFramesDecoded,
    freezes,
    freezesMs,
    plis,
    nacks,
  };
}

function codecOf(entries: readonly Entry[], inbound: Entry): string | undefined {
  const codec = entries.find(({ type, id }) => type === 'codec' && id === inbound['codecId']);
  const mimeType = codec?.['mimeType'];
  return typeof mimeType === 'string' ? mimeType.replace(/^video\//i, '') : undefined;
}
