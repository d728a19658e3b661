/**
 * A bounded look at SCTP packets (RFC 9260 §3) in front of the SCTP stack. The stack trusts lengths,
 * counts and transmission sequence numbers (TSN): a chunk of length 0 holds it for ever, and a SACK
 * of 1 kB makes it count to twenty million. Linear in the packet; never throws.
 */

const commonHeaderBytes = 12;
const chunkHeaderBytes = 4;
/** More than a path carries in one datagram. */
const maxPacketBytes = 2_048;
const maxChunks = 64;
/** Streams of either direction; browsers number theirs from 0 upwards. */
export const maxSctpStreams = 1_024;

export const chunkTypes = {
  data: 0,
  init: 1,
  sack: 3,
  heartbeat: 4,
  heartbeatAck: 5,
  abort: 6,
  cookieEcho: 10,
  reconfig: 130,
  forwardTsn: 192,
} as const;

/** Flags of a DATA chunk (RFC 9260 §3.3.1). */
const dataFlags = { last: 1, first: 2, unordered: 4 } as const;
const allFlags = dataFlags.first | dataFlags.last | dataFlags.unordered;

/** How far the association is, which says what numbers can be right. */
export interface SctpProgress {
  readonly established: boolean;
  /** Everything up to it came in; undefined before the viewer has named its first. */
  readonly receivedTsn: number | undefined;
  /** Everything up to it was acknowledged. */
  readonly ackedTsn: number;
  /** The last one sent or queued. */
  readonly sentTsn: number;
}

/** How far ahead of what came in a DATA chunk can be at all, in chunks; sctp-inbound.ts says how far it is taken. */
const maxTsnAhead = 65_536;
/** How far a viewer may skip what it gave up, and how old a repetition may be. */
const maxTsnSkip = 4_096;
const maxListed = 64;

export interface SctpPacket {
  /** DATA chunks. */
  readonly data: number;
  /** Of them, those that may have to be kept until others come: fragments and ordered ones. */
  readonly keeps: number;
  /** Of them, the fragments. */
  readonly fragments: number;
}

/** What a packet asks of the stack; undefined when it must not reach it. */
export function readSctpPacket(packet: Buffer, progress: SctpProgress): SctpPacket | undefined {
  if (packet.length < commonHeaderBytes + chunkHeaderBytes) return undefined;
  if (packet.length > maxPacketBytes) return undefined;
  let data = 0;
  let keeps = 0;
  let fragments = 0;
  let hasInit = false;
  let chunks = 0;
  let offset = commonHeaderBytes;
  while (offset < packet.length) {
    chunks += 1;
    if (offset + chunkHeaderBytes > packet.length || chunks > maxChunks) return undefined;
    const type = packet.readUInt8(offset);
    const flags = packet.readUInt8(offset + 1);
    const length = packet.readUInt16BE(offset + 2);
    if (length < chunkHeaderBytes || offset + length > packet.length) return undefined;
    const body = packet.subarray(offset + chunkHeaderBytes, offset + length);
    if (!chunkHolds(type, body, progress)) return undefined;
    if (type === chunkTypes.data) {
      data += 1;
      if (!isWhole(flags)) keeps += 1;
      if (isFragment(flags)) fragments += 1;
    }
    if (type === chunkTypes.init) hasInit = true;
    offset += padded(length);
  }
  // RFC 9260 §6.10: INIT stands alone.
  return hasInit && chunks > 1 ? undefined : { data, keeps, fragments };
}

/** Whether a DATA chunk can be given out as soon as it comes. */
function isWhole(flags: number): boolean {
  return (flags & allFlags) === allFlags;
}

function isFragment(flags: number): boolean {
  const ends = dataFlags.first | dataFlags.last;
  return (flags & ends) !== ends;
}

function chunkHolds(type: number, body: Buffer, progress: SctpProgress): boolean {
  switch (type) {
    case chunkTypes.data:
      return dataHolds(body, progress);
    case chunkTypes.init:
      return !progress.established && initHolds(body);
    case chunkTypes.sack:
      return sackHolds(body, progress);
    case chunkTypes.heartbeat:
      return body.length <= 256 && parametersHold(body);
    case chunkTypes.heartbeatAck:
    case chunkTypes.abort:
      return parametersHold(body);
    case chunkTypes.cookieEcho:
      return progress.receivedTsn !== undefined && body.length === 24;
    case chunkTypes.reconfig:
      return progress.established && reconfigHolds(body);
    case chunkTypes.forwardTsn:
      return forwardTsnHolds(body, progress);
    default:
      return false;
  }
}

function dataHolds(body: Buffer, { receivedTsn }: SctpProgress): boolean {
  // RFC 9260 §3.3.1: a chunk without user data is a protocol violation.
  if (body.length <= 12 || receivedTsn === undefined) return false;
  const ahead = distance(receivedTsn, body.readUInt32BE(0));
  return ahead > -maxTsnSkip && ahead <= maxTsnAhead && body.readUInt16BE(4) < maxSctpStreams;
}

/** RFC 9260 §3.3.2: initiate tag, window, streams both ways, first TSN, parameters. */
function initHolds(body: Buffer): boolean {
  return (
    body.length >= 16 &&
    body.readUInt32BE(0) !== 0 &&
    body.readUInt16BE(8) !== 0 &&
    body.readUInt16BE(10) !== 0 &&
    // The stack computes the TSN before it without wrapping.
    body.readUInt32BE(12) !== 0 &&
    parametersHold(body.subarray(16))
  );
}

/** RFC 9260 §3.3.4: acknowledges what was sent, in blocks that follow each other. */
function sackHolds(body: Buffer, { ackedTsn, sentTsn }: SctpProgress): boolean {
  if (body.length < 12) return false;
  const cumulative = body.readUInt32BE(0);
  const blocks = body.readUInt16BE(8);
  const duplicates = body.readUInt16BE(10);
  if (blocks > 256 || body.length !== 12 + 4 * (blocks + duplicates)) return false;
  const outstanding = distance(cumulative, sentTsn);
  if (outstanding < 0 || distance(ackedTsn, cumulative) < -maxTsnSkip) return false;
  let previousEnd = 0;
  for (let block = 0; block < blocks; block += 1) {
    const start = body.readUInt16BE(12 + 4 * block);
    const end = body.readUInt16BE(14 + 4 * block);
    if (start <= previousEnd || end < start || end > outstanding) return false;
    previousEnd = end;
  }
  return true;
}

/** RFC 3758 §3.2: the viewer gave up everything up to a TSN. */
function forwardTsnHolds(body: Buffer, { receivedTsn }: SctpProgress): boolean {
  if (receivedTsn === undefined || body.length < 4 || body.length % 4 !== 0) return false;
  if (body.length > 4 + 4 * maxListed) return false;
  const skip = distance(receivedTsn, body.readUInt32BE(0));
  if (skip <= -maxTsnSkip || skip > maxTsnSkip) return false;
  for (let at = 4; at < body.length; at += 4) {
    if (body.readUInt16BE(at) >= maxSctpStreams) return false;
  }
  return true;
}

/** RFC 6525 §4.1 and §4.4: an outgoing stream reset, or the answer to ours. */
function reconfigHolds(body: Buffer): boolean {
  if (!parametersHold(body)) return false;
  for (let at = 0; at < body.length; at += padded(body.readUInt16BE(at + 2))) {
    const type = body.readUInt16BE(at);
    const length = body.readUInt16BE(at + 2);
    if (type === 13) {
      if (length < 16 || length % 2 !== 0 || length > 16 + 2 * maxListed) return false;
    } else if (type !== 16 || (length !== 12 && length !== 20)) return false;
  }
  return true;
}

/** Parameters one after another (RFC 9260 §3.2.1), each with a length that holds. */
function parametersHold(body: Buffer): boolean {
  let at = 0;
  while (at < body.length) {
    if (at + 4 > body.length) return false;
    const length = body.readUInt16BE(at + 2);
    if (length < 4 || at + length > body.length) return false;
    at += padded(length);
  }
  return true;
}

function padded(length: number): number {
  return (length + 3) & ~3;
}

/** How far `to` is ahead of `from` in the serial numbers of RFC 1982; negative: behind. */
export function distance(from: number, to: number): number {
  return (to - from) | 0;
}
