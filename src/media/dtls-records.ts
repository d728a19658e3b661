/**
 * A bounded look at DTLS 1.2 records (RFC 6347 §4.1) in front of the DTLS stack: which of a
 * datagram's records may be handed on, given how far the association is. Linear in the datagram.
 */

const recordHeaderBytes = 13;
export const handshakeHeaderBytes = 12;
/** A browser's certificate flight stays far below; an RSA 4096 chain fits. */
export const maxHandshakeBytes = 16_384;
/** Explicit nonce and tag of AES-GCM: the least a protected record carries. */
const minProtectedBytes = 24;

export const contentTypes = { changeCipherSpec: 20, alert: 21, handshake: 22, data: 23 } as const;

/** Handshake messages a DTLS client sends (RFC 6347 §4.3.2). */
export const clientHandshakes = {
  clientHello: 1,
  certificate: 11,
  certificateVerify: 15,
  keyExchange: 16,
};

/**
 * - `handshaking`: keys are being agreed.
 * - `connected`: this side has finished; the viewer may still repeat its last flight if ours was lost.
 * - `sealed`: something arrived that only the viewer's keys could have made, so it has finished too.
 */
export type DtlsPhase = 'handshaking' | 'connected' | 'sealed';

export interface DtlsRecord {
  readonly contentType: number;
  readonly epoch: number;
  /** 48-bit record sequence number. */
  readonly sequence: number;
  /** Header and fragment, a slice of the datagram. */
  readonly bytes: Buffer;
  readonly fragment: Buffer;
}

/** The records of a datagram, or undefined when a header or length does not hold. */
export function readDtlsRecords(datagram: Buffer): DtlsRecord[] | undefined {
  const records: DtlsRecord[] = [];
  let offset = 0;
  while (offset < datagram.length) {
    if (offset + recordHeaderBytes > datagram.length) return undefined;
    const contentType = datagram.readUInt8(offset);
    const length = datagram.readUInt16BE(offset + 11);
    const end = offset + recordHeaderBytes + length;
    if (contentType < 20 || contentType > 23 || datagram.readUInt8(offset + 1) !== 0xfe) {
      return undefined;
    }
    if (length === 0 || end > datagram.length) return undefined;
    records.push({
      contentType,
      epoch: datagram.readUInt16BE(offset + 3),
      sequence: datagram.readUIntBE(offset + 5, 6),
      bytes: datagram.subarray(offset, end),
      fragment: datagram.subarray(offset + recordHeaderBytes, end),
    });
    offset = end;
  }
  return records.length === 0 ? undefined : records;
}

/**
 * Whether a record may reach the DTLS stack in this phase. Alerts never do: an unprotected one
 * proves nothing, and a protected one is judged by whoever holds the keys (RFC 6347 §4.1.2.7 lets
 * invalid records be dropped silently).
 */
export function admitsRecord(record: DtlsRecord, phase: DtlsPhase): boolean {
  const { contentType, epoch, fragment } = record;
  const isProtected = epoch > 0 && fragment.length >= minProtectedBytes;
  switch (contentType) {
    case contentTypes.data:
      return phase !== 'handshaking' && isProtected;
    case contentTypes.changeCipherSpec:
      return phase === 'handshaking' && epoch === 0 && fragment.length === 1;
    case contentTypes.handshake:
      if (phase === 'sealed') return false;
      if (epoch > 0) return isProtected;
      return phase === 'handshaking' && handshakesHold(fragment);
    default:
      return false;
  }
}

/** Whether a cleartext handshake fragment holds together, message by message. */
function handshakesHold(fragment: Buffer): boolean {
  let offset = 0;
  while (offset < fragment.length) {
    if (offset + handshakeHeaderBytes > fragment.length) return false;
    const type = fragment.readUInt8(offset);
    const total = fragment.readUIntBE(offset + 1, 3);
    const at = fragment.readUIntBE(offset + 6, 3);
    const length = fragment.readUIntBE(offset + 9, 3);
    const start = offset + handshakeHeaderBytes;
    if (total > maxHandshakeBytes || at + length > total || start + length > fragment.length) {
      return false;
    }
    // An empty fragment of a message that is not empty only costs the reassembly.
    if (length === 0 && total > 0) return false;
    if (length === total && !messageHolds(type, fragment.subarray(start, start + length))) {
      return false;
    }
    if (!Object.values(clientHandshakes).includes(type)) return false;
    offset = start + length;
  }
  return true;
}

/** Whether the body of a whole message of a client can be parsed. */
export function messageHolds(type: number, body: Buffer): boolean {
  switch (type) {
    case clientHandshakes.clientHello:
      return clientHelloHolds(body);
    case clientHandshakes.certificate:
      return certificateHolds(body);
    case clientHandshakes.keyExchange:
      return body.length >= 2 && body.readUInt8(0) === body.length - 1;
    case clientHandshakes.certificateVerify:
      return body.length > 4 && body.readUInt16BE(2) === body.length - 4;
    default:
      return false;
  }
}

/** RFC 6347 §4.2.1: version, random, session id, cookie, suites, compression, extensions. */
function clientHelloHolds(body: Buffer): boolean {
  let offset = 34;
  for (const [lengthBytes, least, even] of [
    [1, 0, 1],
    [1, 0, 1],
    [2, 2, 2],
    [1, 1, 1],
  ] as const) {
    if (offset + lengthBytes > body.length) return false;
    const length = body.readUIntBE(offset, lengthBytes);
    if (length < least || length % even !== 0) return false;
    offset += lengthBytes + length;
  }
  if (offset + 2 > body.length) return false;
  if (body.readUInt16BE(offset) !== body.length - offset - 2) return false;
  return extensionsHold(body.subarray(offset + 2));
}

function extensionsHold(extensions: Buffer): boolean {
  let offset = 0;
  while (offset < extensions.length) {
    if (offset + 4 > extensions.length) return false;
    const type = extensions.readUInt16BE(offset);
    const end = offset + 4 + extensions.readUInt16BE(offset + 2);
    if (end > extensions.length) return false;
    if (!extensionHolds(type, extensions.subarray(offset + 4, end))) return false;
    offset = end;
  }
  return true;
}

/** The three extensions the stack looks into: groups, signature algorithms (lists) and use_srtp. */
function extensionHolds(type: number, body: Buffer): boolean {
  if (type !== 10 && type !== 13 && type !== 14) return true;
  if (body.length < 2) return false;
  const listBytes = body.readUInt16BE(0);
  if (listBytes === 0 || listBytes % 2 !== 0) return false;
  if (type !== 14) return listBytes === body.length - 2;
  // use_srtp (RFC 5764 §4.1.1): the profiles, then an MKI with a length of one byte.
  const mkiAt = 2 + listBytes;
  return mkiAt < body.length && body.readUInt8(mkiAt) === body.length - mkiAt - 1;
}

/** RFC 5246 §7.4.2: a list of certificates, each with a length of three bytes. */
function certificateHolds(body: Buffer): boolean {
  if (body.length < 3 || body.readUIntBE(0, 3) !== body.length - 3) return false;
  let offset = 3;
  while (offset < body.length) {
    if (offset + 3 > body.length) return false;
    offset += 3 + body.readUIntBE(offset, 3);
  }
  return offset === body.length;
}
