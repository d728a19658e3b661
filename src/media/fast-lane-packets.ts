/**
 * The messages of the fast lane (FAST-LANE.md): read and written by the device and by the page, big
 * endian, one message a datagram of the data channel or a binary frame of the WebSocket. No reader
 * throws, whatever it is given; undefined says that the message is malformed.
 */

/** Label of the data channel. */
export const fastLaneLabel = 'earshot-fast-lane';
/** Protocol of the data channel (RFC 8832 §5.1) and subprotocol of the WebSocket (RFC 6455 §1.9). */
export const fastLaneProtocol = 'earshot.fast-lane.1';
/** How messages reach the other end. */
export const fastLaneWays = ['channel', 'websocket'] as const;
export type FastLaneWay = (typeof fastLaneWays)[number];
/** Largest message of either direction. */
export const maxFastLaneMessageBytes = 4_096;
/** Largest Opus packet of a message. */
export const maxFastLanePayloadBytes = 1_500;
/** How often a viewer pings. */
export const fastLanePingMs = 250;
/** Silence of a viewer after which the device sends it no more sound. */
export const fastLaneSilenceMs = 5_000;

/** Device → viewer: one Opus packet. */
export interface SoundMessage {
  /** 16 bits, wraps. */
  readonly sequence: number;
  /** 32 bits, 48 kHz: position of the packet's first sample since the stream began; wraps. */
  readonly timestamp: number;
  /** When that sample was captured, CLOCK_MONOTONIC of the device in µs, below 2^53. */
  readonly captureTimeUs: number;
  /** Sound before it is missing at the source. */
  readonly discontinuity: boolean;
  /** The Opus packet (RFC 6716 §3), 1–1,500 bytes. A view of the message when read. */
  readonly payload: Uint8Array;
  /**
   * Redundancy: the packet of `sequence` − 1, whose last sample is right before this one's first, so
   * that its timestamp is `timestamp` − its own samples. A view of the message when read.
   */
  readonly previous: Uint8Array | undefined;
}

/** Device → viewer: answers a ping. Times are CLOCK_MONOTONIC of the device in µs, below 2^53. */
export interface PongMessage {
  /** Of the ping, 32 bits. */
  readonly id: number;
  readonly receivedUs: number;
  readonly sentUs: number;
}

/** Viewer → device, every 250 ms: its wish and its report. 5 s without one: no more sound. */
export interface PingMessage {
  /** 32 bits, of the viewer's choice. */
  readonly id: number;
  readonly wantsSound: boolean;
  readonly wantsRedundancy: boolean;
  readonly report: FastLaneReport;
}

/** What a viewer says of its reception. −1: unknown, of every number but `driftPpm`. */
export interface FastLaneReport {
  /** The fast lane is the one that sounds, not the track. */
  readonly isSounding: boolean;
  /** From capture until the speaker, of the lane that sounds. */
  readonly delayMs: number;
  /** Level the jitter buffer aims at. */
  readonly targetMs: number;
  readonly jitterMs: number;
  readonly roundTripMs: number;
  /** The device's clock against the viewer's sound card; positive: the device's is fast. −100,000 to 100,000. */
  readonly driftPpm: number;
  /** Packets since the lane began; `lost` neither came nor were recovered by redundancy. */
  readonly received: number;
  readonly lost: number;
  readonly recovered: number;
  readonly late: number;
  readonly malformed: number;
  /** Sound that was made up in place of lost packets, and silence for want of any. */
  readonly concealedMs: number;
  readonly underrunMs: number;
}

/** A viewer that has not said anything yet. */
export const unknownReport: FastLaneReport = {
  isSounding: false,
  delayMs: -1,
  targetMs: -1,
  jitterMs: -1,
  roundTripMs: -1,
  driftPpm: 0,
  received: -1,
  lost: -1,
  recovered: -1,
  late: -1,
  malformed: -1,
  concealedMs: -1,
  underrunMs: -1,
};

const messageTypes = { sound: 1, pong: 2, ping: 3 } as const;
export type FastLaneMessageType = keyof typeof messageTypes;

const soundFlags = { discontinuity: 1, redundancy: 2 } as const;
const pingFlags = { wantsSound: 1, wantsRedundancy: 2, isSounding: 4 } as const;

/** Bytes of a sound message before its payloads, and of the length of the previous one. */
const soundHeaderBytes = 16;
const previousLengthBytes = 2;
const pongBytes = 24;
const pingHeaderBytes = 8;
const numberBytes = 8;

/** Largest value of a `Ms` number: 2^32 − 1 ms, seven weeks. */
const maxReportedMs = 0xffffffff;
const maxDriftPpm = 100_000;

interface ReportNumber {
  readonly name: Exclude<keyof FastLaneReport, 'isSounding'>;
  readonly kind: 'ms' | 'ppm' | 'packets';
}

/** The numbers of a ping in their order on the wire, each an IEEE 754 binary64. */
const reportNumbers: readonly ReportNumber[] = [
  { name: 'delayMs', kind: 'ms' },
  { name: 'targetMs', kind: 'ms' },
  { name: 'jitterMs', kind: 'ms' },
  { name: 'roundTripMs', kind: 'ms' },
  { name: 'driftPpm', kind: 'ppm' },
  { name: 'received', kind: 'packets' },
  { name: 'lost', kind: 'packets' },
  { name: 'recovered', kind: 'packets' },
  { name: 'late', kind: 'packets' },
  { name: 'malformed', kind: 'packets' },
  { name: 'concealedMs', kind: 'ms' },
  { name: 'underrunMs', kind: 'ms' },
];
const pingBytes = pingHeaderBytes + reportNumbers.length * numberBytes;

/** What a message says it is, by its first byte; undefined: nothing known, or longer than any message. */
export function messageTypeOf(bytes: Uint8Array): FastLaneMessageType | undefined {
  if (bytes.length > maxFastLaneMessageBytes) return undefined;
  switch (bytes[0]) {
    case messageTypes.sound:
      return 'sound';
    case messageTypes.pong:
      return 'pong';
    case messageTypes.ping:
      return 'ping';
    default:
      return undefined;
  }
}

/**
 * One allocation and a copy of the payloads. Numbers are taken modulo their width. Throws RangeError
 * for an Opus packet of no or more than 1,500 bytes, and for a time outside 0 to 2^53 − 1.
 */
export function writeSound(message: SoundMessage): Uint8Array {
  const { payload, previous } = message;
  checkPayload(payload);
  if (previous !== undefined) checkPayload(previous);
  const previousBytes = previous === undefined ? 0 : previousLengthBytes + previous.length;
  const bytes = new Uint8Array(soundHeaderBytes + previousBytes + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, messageTypes.sound);
  view.setUint8(
    1,
    (message.discontinuity ? soundFlags.discontinuity : 0) |
      (previous === undefined ? 0 : soundFlags.redundancy),
  );
  view.setUint16(2, message.sequence);
  view.setUint32(4, message.timestamp);
  writeTime(view, 8, message.captureTimeUs);
  if (previous !== undefined) {
    view.setUint16(soundHeaderBytes, previous.length);
    bytes.set(previous, soundHeaderBytes + previousLengthBytes);
  }
  bytes.set(payload, soundHeaderBytes + previousBytes);
  return bytes;
}

/** Copies nothing: the payloads are views of `bytes`. What they hold is the decoder's to judge. */
export function readSound(bytes: Uint8Array): SoundMessage | undefined {
  if (messageTypeOf(bytes) !== 'sound' || bytes.length <= soundHeaderBytes) return undefined;
  const view = viewOf(bytes);
  const flags = view.getUint8(1);
  if (flags > (soundFlags.discontinuity | soundFlags.redundancy)) return undefined;
  const captureTimeUs = readTime(view, 8);
  if (captureTimeUs < 0) return undefined;
  let from = soundHeaderBytes;
  let previous: Uint8Array | undefined;
  if ((flags & soundFlags.redundancy) !== 0) {
    from += previousLengthBytes;
    if (bytes.length < from) return undefined;
    const end = from + view.getUint16(soundHeaderBytes);
    // Past the end of the message, `payload` below is empty.
    previous = bytes.subarray(from, end);
    if (!isPayload(previous)) return undefined;
    from = end;
  }
  const payload = bytes.subarray(from);
  if (!isPayload(payload)) return undefined;
  return {
    sequence: view.getUint16(2),
    timestamp: view.getUint32(4),
    captureTimeUs,
    discontinuity: (flags & soundFlags.discontinuity) !== 0,
    payload,
    previous,
  };
}

/** Throws RangeError for a time outside 0 to 2^53 − 1. */
export function writePong({ id, receivedUs, sentUs }: PongMessage): Uint8Array {
  const bytes = new Uint8Array(pongBytes);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, messageTypes.pong);
  view.setUint32(4, id);
  writeTime(view, 8, receivedUs);
  writeTime(view, 16, sentUs);
  return bytes;
}

export function readPong(bytes: Uint8Array): PongMessage | undefined {
  if (messageTypeOf(bytes) !== 'pong' || bytes.length !== pongBytes) return undefined;
  const view = viewOf(bytes);
  if (view.getUint8(1) !== 0 || view.getUint16(2) !== 0) return undefined;
  const receivedUs = readTime(view, 8);
  const sentUs = readTime(view, 16);
  if (receivedUs < 0 || sentUs < receivedUs) return undefined;
  return { id: view.getUint32(4), receivedUs, sentUs };
}

/**
 * A number of the report that is none or out of its range is written as unknown, or as the largest one:
 * a report never costs the viewer its sound. Counts are rounded down.
 */
export function writePing({ id, wantsSound, wantsRedundancy, report }: PingMessage): Uint8Array {
  const bytes = new Uint8Array(pingBytes);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, messageTypes.ping);
  view.setUint8(
    1,
    (wantsSound ? pingFlags.wantsSound : 0) |
      (wantsRedundancy ? pingFlags.wantsRedundancy : 0) |
      (report.isSounding ? pingFlags.isSounding : 0),
  );
  view.setUint32(4, id);
  let at = pingHeaderBytes;
  for (const { name, kind } of reportNumbers) {
    view.setFloat64(at, clampNumber(report[name], kind));
    at += numberBytes;
  }
  return bytes;
}

export function readPing(bytes: Uint8Array): PingMessage | undefined {
  if (messageTypeOf(bytes) !== 'ping' || bytes.length !== pingBytes) return undefined;
  const view = viewOf(bytes);
  const flags = view.getUint8(1);
  const known = pingFlags.wantsSound | pingFlags.wantsRedundancy | pingFlags.isSounding;
  if (flags > known || view.getUint16(2) !== 0) return undefined;
  const report = { ...unknownReport, isSounding: (flags & pingFlags.isSounding) !== 0 };
  let at = pingHeaderBytes;
  for (const { name, kind } of reportNumbers) {
    const value = view.getFloat64(at);
    if (!isReportNumber(value, kind)) return undefined;
    report[name] = value;
    at += numberBytes;
  }
  return {
    id: view.getUint32(4),
    wantsSound: (flags & pingFlags.wantsSound) !== 0,
    wantsRedundancy: (flags & pingFlags.wantsRedundancy) !== 0,
    report,
  };
}

function checkPayload(payload: Uint8Array): void {
  if (isPayload(payload)) return;
  throw new RangeError(
    `An Opus packet of the fast lane has 1 to ${maxFastLanePayloadBytes} bytes, not ${payload.length}.`,
  );
}

function isPayload(payload: Uint8Array): boolean {
  return payload.length >= 1 && payload.length <= maxFastLanePayloadBytes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** 64 bits as two of 32: a BigInt a packet would be garbage a packet. */
function writeTime(view: DataView, at: number, timeUs: number): void {
  if (!Number.isSafeInteger(timeUs) || timeUs < 0) {
    throw new RangeError(`A time of the fast lane is a whole number of µs from 0, not ${timeUs}.`);
  }
  view.setUint32(at, Math.floor(timeUs / 0x100000000));
  view.setUint32(at + 4, timeUs % 0x100000000);
}

/** −1: past 2^53 − 1. */
function readTime(view: DataView, at: number): number {
  const timeUs = view.getUint32(at) * 0x100000000 + view.getUint32(at + 4);
  return timeUs <= Number.MAX_SAFE_INTEGER ? timeUs : -1;
}

function clampNumber(value: number, kind: ReportNumber['kind']): number {
  if (kind === 'ppm') {
    return Number.isNaN(value) ? 0 : Math.max(-maxDriftPpm, Math.min(value, maxDriftPpm));
  }
  if (!(value >= 0)) return -1;
  return kind === 'ms'
    ? Math.min(value, maxReportedMs)
    : Math.min(Math.floor(value), Number.MAX_SAFE_INTEGER);
}

function isReportNumber(value: number, kind: ReportNumber['kind']): boolean {
  if (kind === 'ppm') return Math.abs(value) <= maxDriftPpm;
  if (value === -1) return true;
  return kind === 'ms'
    ? value >= 0 && value <= maxReportedMs
    : Number.isSafeInteger(value) && value >= 0;
}
