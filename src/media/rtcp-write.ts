import type { ReceptionSummary } from './reception-statistics.ts';

/** Building the RTCP we send (RFC 3550 §6). */

const version = 0x80;
const types = { senderReport: 200, receiverReport: 201, description: 202, goodbye: 203 } as const;

export interface SenderReport {
  readonly ssrc: number;
  /** NTP timestamp and RTP timestamp of the same instant. */
  readonly ntp: bigint;
  readonly rtpTimestamp: number;
  /** Packets and payload octets sent since the start, modulo 2³². */
  readonly packets: number;
  readonly octets: number;
}

/** A report block about a stream that we receive (RFC 3550 §6.4.1). */
export interface ReceptionBlock extends ReceptionSummary {
  readonly ssrc: number;
  /** Middle 32 bits of the NTP timestamp of its last sender report, and the time since, in 1/65,536 s; 0 if none came. */
  readonly lastSenderReport: number;
  readonly delaySinceLast: number;
}

/**
 * A compound packet: sender report with what we receive, and source description (RFC 3550 §6.1), with
 * BYE when `goodbye`.
 */
export function writeSenderReport(
  report: SenderReport,
  cname: string,
  {
    blocks = [],
    goodbye = false,
  }: { readonly blocks?: readonly ReceptionBlock[]; readonly goodbye?: boolean } = {},
): Buffer {
  const sr = Buffer.alloc(28);
  writeHeader(sr, types.senderReport, blocks.length, blocks.length * blockBytes);
  sr.writeUInt32BE(report.ssrc, 4);
  sr.writeBigUInt64BE(report.ntp, 8);
  sr.writeUInt32BE(report.rtpTimestamp >>> 0, 16);
  sr.writeUInt32BE(report.packets >>> 0, 20);
  sr.writeUInt32BE(report.octets >>> 0, 24);
  const parts = [sr, ...blocks.map(writeBlock), writeDescription(report.ssrc, cname)];
  if (goodbye) parts.push(writeGoodbye(report.ssrc));
  return Buffer.concat(parts);
}

/** The same for one who sends nothing: a receiver report under `ssrc`, and the source description. */
export function writeReceiverReport(report: {
  readonly ssrc: number;
  readonly cname: string;
  readonly blocks: readonly ReceptionBlock[];
}): Buffer {
  const { ssrc, cname, blocks } = report;
  const rr = Buffer.alloc(8);
  writeHeader(rr, types.receiverReport, blocks.length, blocks.length * blockBytes);
  rr.writeUInt32BE(ssrc, 4);
  return Buffer.concat([rr, ...blocks.map(writeBlock), writeDescription(ssrc, cname)]);
}

const blockBytes = 24;

function writeBlock(block: ReceptionBlock): Buffer {
  const bytes = Buffer.alloc(blockBytes);
  bytes.writeUInt32BE(block.ssrc, 0);
  bytes.writeUInt8(block.fractionLost, 4);
  bytes.writeIntBE(block.packetsLost, 5, 3);
  bytes.writeUInt32BE(block.highestSequence >>> 0, 8);
  bytes.writeUInt32BE(block.jitter >>> 0, 12);
  bytes.writeUInt32BE(block.lastSenderReport, 16);
  bytes.writeUInt32BE(block.delaySinceLast >>> 0, 20);
  return bytes;
}

/** SDES with CNAME (RFC 3550 §6.5.1): item type 1, ended by at least one zero, padded to 32 bits. */
function writeDescription(ssrc: number, cname: string): Buffer {
  const name = Buffer.from(cname, 'latin1').subarray(0, 255);
  const bytes = 8 + ((2 + name.length + 4) & ~3);
  const packet = Buffer.alloc(bytes);
  writeHeader(packet, types.description, 1);
  packet.writeUInt32BE(ssrc, 4);
  packet.writeUInt8(1, 8);
  packet.writeUInt8(name.length, 9);
  name.copy(packet, 10);
  return packet;
}

function writeGoodbye(ssrc: number): Buffer {
  const packet = Buffer.alloc(8);
  writeHeader(packet, types.goodbye, 1);
  packet.writeUInt32BE(ssrc, 4);
  return packet;
}

/** `more`: bytes of the packet that follow elsewhere. */
function writeHeader(packet: Buffer, type: number, count: number, more = 0): void {
  packet.writeUInt8(version | count, 0);
  packet.writeUInt8(type, 1);
  packet.writeUInt16BE((packet.length + more) / 4 - 1, 2);
}
