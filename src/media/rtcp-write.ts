/** Building the RTCP we send (RFC 3550 §6). */

const version = 0x80;
const types = { senderReport: 200, description: 202, goodbye: 203 } as const;

export interface SenderReport {
  readonly ssrc: number;
  /** NTP timestamp and RTP timestamp of the same instant. */
  readonly ntp: bigint;
  readonly rtpTimestamp: number;
  /** Packets and payload octets sent since the start, modulo 2³². */
  readonly packets: number;
  readonly octets: number;
}

/** A compound packet: sender report and source description (RFC 3550 §6.1), with BYE when `goodbye`. */
export function writeSenderReport(report: SenderReport, cname: string, goodbye = false): Buffer {
  const sr = Buffer.alloc(28);
  writeHeader(sr, types.senderReport, 0);
  sr.writeUInt32BE(report.ssrc, 4);
  sr.writeBigUInt64BE(report.ntp, 8);
  sr.writeUInt32BE(report.rtpTimestamp >>> 0, 16);
  sr.writeUInt32BE(report.packets >>> 0, 20);
  sr.writeUInt32BE(report.octets >>> 0, 24);
  const parts = [sr, writeDescription(report.ssrc, cname)];
  if (goodbye) parts.push(writeGoodbye(report.ssrc));
  return Buffer.concat(parts);
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

function writeHeader(packet: Buffer, type: number, count: number): void {
  packet.writeUInt8(version | count, 0);
  packet.writeUInt8(type, 1);
  packet.writeUInt16BE(packet.length / 4 - 1, 2);
}
