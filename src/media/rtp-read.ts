import { rtpHeaderBytes } from './ingress-guard.ts';

/** Reading the RTP of a viewer after it was authenticated. The viewer is still not trusted (RFC 3550 §5.1, RFC 8285). */

/** One packet. `payload` is a view without its padding, and empty when padding was all there was. */
export interface ReceivedRtp {
  readonly payloadType: number;
  readonly marker: boolean;
  /** 16 bits. */
  readonly sequence: number;
  /** 32 bits. */
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payload: Buffer;
}

const fixedHeaderBytes = 12;
const oneByteProfile = 0xbede;
/** The lower four bits are the application's (RFC 8285 §4.3). */
const twoByteProfile = 0x1000;

/**
 * Reads a packet as the transport opened it: the header with its CSRC list and extension, and the
 * payload. Undefined when a length in it does not hold. Costs one object and one view.
 */
export function readRtp(header: Buffer, payload: Buffer): ReceivedRtp | undefined {
  if (rtpHeaderBytes(header) !== header.length || header.length === 0) return undefined;
  const second = header.readUInt8(1);
  const isPadded = (header.readUInt8(0) & 0x20) !== 0;
  const padding = isPadded ? (payload[payload.length - 1] ?? 0) : 0;
  // The count includes itself, so a padded packet has at least one byte of it.
  if (isPadded && (padding === 0 || padding > payload.length)) return undefined;
  return {
    payloadType: second & 0x7f,
    marker: second >= 0x80,
    sequence: header.readUInt16BE(2),
    timestamp: header.readUInt32BE(4),
    ssrc: header.readUInt32BE(8),
    payload: payload.subarray(0, payload.length - padding),
  };
}

/** The header extension element `id` as text, in the one-byte or the two-byte form; undefined when there is none. */
export function readExtensionText(header: Buffer, id: number): string | undefined {
  const [flags = 0] = header;
  if (rtpHeaderBytes(header) !== header.length || (flags & 0x10) === 0) return undefined;
  const start = fixedHeaderBytes + (flags & 0x0f) * 4;
  const profile = header.readUInt16BE(start);
  const isOneByte = profile === oneByteProfile;
  if (!isOneByte && (profile & 0xfff0) !== twoByteProfile) return undefined;
  let at = start + 4;
  while (at < header.length) {
    const first = header.readUInt8(at);
    if (first === 0) {
      at += 1;
      continue;
    }
    // RFC 8285 §4.2: id 15 ends the list.
    if (isOneByte && first >> 4 === 15) return undefined;
    const found = isOneByte ? first >> 4 : first;
    const length = isOneByte ? (first & 0x0f) + 1 : (header[at + 1] ?? 0);
    const from = at + (isOneByte ? 1 : 2);
    if (from + length > header.length) return undefined;
    if (found === id) return header.toString('latin1', from, from + length);
    at = from + length;
  }
  return undefined;
}
