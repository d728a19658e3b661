/**
 * Reading the RTCP a viewer sends, after it was authenticated. A viewer is still not trusted: lengths
 * are checked, lists are bounded, and what does not hold ends the reading.
 */

/** A report block about one of our streams (RFC 3550 §6.4.1). */
export interface ReceptionReport {
  readonly ssrc: number;
  /** 0–1. */
  readonly fractionLost: number;
  /** Since the start; negative when there were duplicates. */
  readonly packetsLost: number;
  /** In RTP time units. */
  readonly jitter: number;
  /** Middle 32 bits of the last sender report's NTP timestamp, and the time since, in 1/65,536 s; 0 if none came. */
  readonly lastSenderReport: number;
  readonly delaySinceLast: number;
}

export type RtcpEvent =
  /** A stream's clock (RFC 3550 §6.4.1): its `ntp` goes back in our reports. */
  | { readonly type: 'sender-report'; readonly ssrc: number; readonly ntp: bigint }
  | { readonly type: 'report'; readonly report: ReceptionReport }
  /** Generic NACK (RFC 4585 §6.2.1): sequence numbers, at most {@link maxNackedPackets}. */
  | { readonly type: 'nack'; readonly ssrc: number; readonly sequences: readonly number[] }
  /** Picture loss: a keyframe is wanted (RFC 4585 §6.3.1). */
  | { readonly type: 'keyframe'; readonly ssrc: number }
  /** Full intra request: the same as a numbered command; `from` says it again with the same 8 bits until it is obeyed (RFC 5104 §4.3.1). */
  | {
      readonly type: 'full-intra';
      readonly ssrc: number;
      readonly from: number;
      readonly command: number;
    }
  | { readonly type: 'transport-feedback'; readonly feedback: TransportFeedback }
  | { readonly type: 'bye'; readonly ssrc: number };

/** Transport-wide congestion control feedback, still packed (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1). */
export interface TransportFeedback {
  readonly baseSequence: number;
  /** Packets it speaks of, 1–{@link maxFeedbackPackets}. */
  readonly packetCount: number;
  /** Units of 64 ms. */
  readonly referenceTime: number;
  readonly feedbackCount: number;
  /** One entry a packet from `baseSequence` on: µs since `referenceTime`, or undefined when it did not arrive. */
  readonly arrivalsUs: readonly (number | undefined)[];
}

const maxPackets = 32;
const maxNackedPackets = 1_024;
const maxFeedbackPackets = 4_096;
/** More streams than any peer of ours has. */
const maxIntraRequests = 8;

/** The events of a compound packet, up to the first thing in it that does not hold. */
export function readRtcp(compound: Buffer): RtcpEvent[] {
  const events: RtcpEvent[] = [];
  let offset = 0;
  for (let count = 0; count < maxPackets && offset + 4 <= compound.length; count += 1) {
    const first = compound.readUInt8(offset);
    const bytes = (compound.readUInt16BE(offset + 2) + 1) * 4;
    if (first >> 6 !== 2 || offset + bytes > compound.length) break;
    const packet = withoutPadding(compound.subarray(offset, offset + bytes));
    if (packet === undefined) break;
    readPacket(packet, events);
    offset += bytes;
  }
  return events;
}

function withoutPadding(packet: Buffer): Buffer | undefined {
  if ((packet.readUInt8(0) & 0x20) === 0) return packet;
  const padding = packet.readUInt8(packet.length - 1);
  return padding > 0 && padding <= packet.length - 4
    ? packet.subarray(0, packet.length - padding)
    : undefined;
}

function readPacket(packet: Buffer, events: RtcpEvent[]): void {
  const count = packet.readUInt8(0) & 0x1f;
  switch (packet.readUInt8(1)) {
    case 200:
      if (packet.length < 28) return;
      events.push({
        type: 'sender-report',
        ssrc: packet.readUInt32BE(4),
        ntp: packet.readBigUInt64BE(8),
      });
      readReports(packet, 28, count, events);
      return;
    case 201:
      readReports(packet, 8, count, events);
      return;
    case 203:
      if (count > 0 && packet.length >= 8) {
        events.push({ type: 'bye', ssrc: packet.readUInt32BE(4) });
      }
      return;
    case 205:
      if (count === 1) readNack(packet, events);
      if (count === 15) readTransportFeedback(packet, events);
      return;
    case 206:
      readPayloadFeedback(packet, count, events);
      return;
    default:
      return;
  }
}

function readReports(packet: Buffer, start: number, count: number, events: RtcpEvent[]): void {
  for (let index = 0; index < count; index += 1) {
    const at = start + index * 24;
    if (at + 24 > packet.length) return;
    events.push({
      type: 'report',
      report: {
        ssrc: packet.readUInt32BE(at),
        fractionLost: packet.readUInt8(at + 4) / 256,
        packetsLost: packet.readIntBE(at + 5, 3),
        jitter: packet.readUInt32BE(at + 12),
        lastSenderReport: packet.readUInt32BE(at + 16),
        delaySinceLast: packet.readUInt32BE(at + 20),
      },
    });
  }
}

function readNack(packet: Buffer, events: RtcpEvent[]): void {
  if (packet.length < 16) return;
  const sequences: number[] = [];
  for (let at = 12; at + 4 <= packet.length; at += 4) {
    const first = packet.readUInt16BE(at);
    const mask = packet.readUInt16BE(at + 2);
    sequences.push(first);
    for (let bit = 0; bit < 16; bit += 1) {
      if ((mask >> bit) & 1) sequences.push((first + bit + 1) & 0xffff);
    }
    if (sequences.length >= maxNackedPackets) break;
  }
  sequences.length = Math.min(sequences.length, maxNackedPackets);
  events.push({ type: 'nack', ssrc: packet.readUInt32BE(8), sequences });
}

function readPayloadFeedback(packet: Buffer, format: number, events: RtcpEvent[]): void {
  if (format === 1 && packet.length >= 12) {
    events.push({ type: 'keyframe', ssrc: packet.readUInt32BE(8) });
  }
  if (format !== 4) return;
  // FIR names its streams in 8-byte entries after the two sources.
  const end = Math.min(packet.length, 12 + maxIntraRequests * 8);
  for (let at = 12; at + 8 <= end; at += 8) {
    events.push({
      type: 'full-intra',
      ssrc: packet.readUInt32BE(at),
      from: packet.readUInt32BE(4),
      command: packet.readUInt8(at + 4),
    });
  }
}

function readTransportFeedback(packet: Buffer, events: RtcpEvent[]): void {
  if (packet.length < 20) return;
  const packetCount = packet.readUInt16BE(14);
  if (packetCount === 0 || packetCount > maxFeedbackPackets) return;
  const statuses = readStatuses(packet, packetCount);
  if (statuses === undefined) return;
  const arrivalsUs = readArrivals(packet, statuses.symbols, statuses.end);
  if (arrivalsUs === undefined) return;
  events.push({
    type: 'transport-feedback',
    feedback: {
      baseSequence: packet.readUInt16BE(12),
      packetCount,
      referenceTime: packet.readIntBE(16, 3),
      feedbackCount: packet.readUInt8(19),
      arrivalsUs,
    },
  });
}

/** Status of each packet — 0 lost, 1 small delta, 2 large delta — and where the deltas begin. */
function readStatuses(
  packet: Buffer,
  packetCount: number,
): { symbols: number[]; end: number } | undefined {
  const symbols: number[] = [];
  let at = 20;
  while (symbols.length < packetCount) {
    if (at + 2 > packet.length) return undefined;
    const chunk = packet.readUInt16BE(at);
    at += 2;
    const wanted = packetCount - symbols.length;
    if (chunk < 0x8000) {
      const run = Math.min(chunk & 0x1fff, wanted);
      if (run === 0) return undefined;
      for (let index = 0; index < run; index += 1) symbols.push((chunk >> 13) & 3);
    } else {
      const bits = (chunk & 0x4000) === 0 ? 1 : 2;
      const fit = Math.min(14 / bits, wanted);
      for (let index = 1; index <= fit; index += 1) {
        symbols.push((chunk >> (14 - index * bits)) & (bits === 1 ? 1 : 3));
      }
    }
  }
  return { symbols, end: at };
}

/** Deltas come in units of 250 µs: one byte unsigned, or two bytes signed (§3.1.5). */
function readArrivals(
  packet: Buffer,
  symbols: readonly number[],
  start: number,
): (number | undefined)[] | undefined {
  const arrivals: (number | undefined)[] = [];
  let at = start;
  let timeUs = 0;
  for (const symbol of symbols) {
    if (symbol === 0) {
      arrivals.push(undefined);
      continue;
    }
    if (symbol > 2 || at + symbol > packet.length) return undefined;
    timeUs += 250 * (symbol === 1 ? packet.readUInt8(at) : packet.readInt16BE(at));
    at += symbol;
    arrivals.push(timeUs);
  }
  return arrivals;
}
