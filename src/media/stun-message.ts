import { createHmac, timingSafeEqual } from 'node:crypto';
import { crc32 } from './crc32.ts';

/**
 * A bounded reader of STUN messages (RFC 8489) that takes nothing on trust: every length is checked
 * against the datagram before it is used, and the cost is linear in the datagram's length.
 */

export const stunHeaderBytes = 20;
/** Longer than any connectivity check a browser sends; a TURN reply with two long strings fits too. */
export const stunMaxBytes = 1_280;

const magicCookie = 0x2112a442;
const fingerprintXor = 0x5354554e;
const maxAttributes = 32;
const maxUsernameBytes = 513;

const attributeTypes = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  messageIntegritySha256: 0x001c,
  fingerprint: 0x8028,
} as const;

/** Lengths of the attributes that have one; others may have any that fits. */
const fixedLengths: Readonly<Record<number, readonly number[]>> = {
  [attributeTypes.messageIntegrity]: [20],
  [attributeTypes.fingerprint]: [4],
  32: [8, 20],
  36: [4],
  37: [0],
  32809: [8],
  32810: [8],
};

export type StunClass = 'request' | 'indication' | 'success' | 'error';
const classes: readonly StunClass[] = ['request', 'indication', 'success', 'error'];

export interface StunMessage {
  readonly class: StunClass;
  /** Method number; 1 is Binding. */
  readonly method: number;
  /** 24 hexadecimal digits. */
  readonly transactionId: string;
  /** The part of USERNAME before the colon: for a request, the receiver's own ICE fragment. Empty if absent. */
  readonly usernameFragment: string;
  /** Offset of the MESSAGE-INTEGRITY attribute; -1 if absent. */
  readonly integrityOffset: number;
}

/**
 * Reads a STUN message, or returns undefined when it is malformed: wrong cookie or length, an
 * attribute that runs over the end or has an impossible length, too many attributes, anything but
 * FINGERPRINT after the integrity, or a FINGERPRINT that does not match.
 */
export function readStunMessage(
  datagram: Buffer,
  maxBytes = stunMaxBytes,
): StunMessage | undefined {
  const size = datagram.length;
  if (size < stunHeaderBytes || size > maxBytes || size % 4 !== 0) return undefined;
  const type = datagram.readUInt16BE(0);
  if (type > 0x3fff || datagram.readUInt16BE(2) !== size - stunHeaderBytes) return undefined;
  if (datagram.readUInt32BE(4) !== magicCookie) return undefined;
  const attributes = walkAttributes(datagram);
  if (attributes === undefined) return undefined;
  const messageClass = classes[((type & 0x0100) >> 7) | ((type & 0x0010) >> 4)];
  if (messageClass === undefined) return undefined;
  return {
    class: messageClass,
    method: (type & 0x000f) | ((type & 0x00e0) >> 1) | ((type & 0x3e00) >> 2),
    transactionId: datagram.toString('hex', 8, stunHeaderBytes),
    ...attributes,
  };
}

function walkAttributes(
  datagram: Buffer,
): { usernameFragment: string; integrityOffset: number } | undefined {
  let usernameFragment = '';
  let integrityOffset = -1;
  let count = 0;
  let offset = stunHeaderBytes;
  while (offset < datagram.length) {
    if (++count > maxAttributes || offset + 4 > datagram.length) return undefined;
    const type = datagram.readUInt16BE(offset);
    const length = datagram.readUInt16BE(offset + 2);
    const next = offset + 4 + ((length + 3) & ~3);
    if (next > datagram.length) return undefined;
    if (fixedLengths[type]?.includes(length) === false) return undefined;
    if (type === attributeTypes.fingerprint) {
      if (next !== datagram.length || !fingerprintMatches(datagram, offset)) return undefined;
    } else if (integrityOffset >= 0 && type !== attributeTypes.messageIntegritySha256) {
      return undefined;
    }
    if (type === attributeTypes.username) {
      if (length > maxUsernameBytes) return undefined;
      usernameFragment = fragmentOf(datagram.subarray(offset + 4, offset + 4 + length));
    }
    if (type === attributeTypes.messageIntegrity) integrityOffset = offset;
    offset = next;
  }
  return { usernameFragment, integrityOffset };
}

function fragmentOf(username: Buffer): string {
  const colon = username.indexOf(0x3a);
  return username.toString('latin1', 0, colon < 0 ? username.length : colon);
}

/** RFC 8489 §14.7: CRC-32 of everything before the attribute, whose own 8 bytes end the message. */
function fingerprintMatches(datagram: Buffer, offset: number): boolean {
  const expected = (crc32(datagram.subarray(0, offset)) ^ fingerprintXor) >>> 0;
  return datagram.readUInt32BE(offset + 4) === expected;
}

/**
 * Whether MESSAGE-INTEGRITY (RFC 8489 §14.5) holds under the short-term credential `password`.
 * Costs one HMAC-SHA1 over the datagram.
 */
export function integrityHolds(datagram: Buffer, message: StunMessage, password: string): boolean {
  const offset = message.integrityOffset;
  if (offset < 0 || password === '') return false;
  // The length field is hashed as if the message ended with this attribute.
  const length = Buffer.alloc(2);
  length.writeUInt16BE(offset + 24 - stunHeaderBytes);
  const digest = createHmac('sha1', password)
    .update(datagram.subarray(0, 2))
    .update(length)
    .update(datagram.subarray(4, offset))
    .digest();
  return timingSafeEqual(digest, datagram.subarray(offset + 4, offset + 24));
}
