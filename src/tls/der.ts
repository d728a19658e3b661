/** The part of DER (ITU-T X.690) that a certificate is written in. */

/** One element: its tag, its length, and the content. */
export function element(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body]);
}

export const sequence = (...items: readonly Uint8Array[]): Buffer => element(0x30, ...items);
export const set = (...items: readonly Uint8Array[]): Buffer => element(0x31, ...items);
export const octetString = (content: Uint8Array): Buffer => element(0x04, content);
export const utf8String = (text: string): Buffer => element(0x0c, Buffer.from(text));
/** `[number]` around an element. */
export const explicit = (number: number, content: Uint8Array): Buffer =>
  element(0xa0 | number, content);
/** `[number]` in place of a primitive's own tag. */
export const implicit = (number: number, content: Uint8Array): Buffer =>
  element(0x80 | number, content);
export const derTrue = element(0x01, Buffer.from([0xff]));

/** A whole number of zero or more, from its big-endian bytes. */
export function integer(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const shortest = first === -1 ? Buffer.from([0]) : bytes.subarray(first);
  // The top bit is the sign.
  const sign = (shortest[0] ?? 0) >= 0x80 ? Buffer.from([0]) : Buffer.alloc(0);
  return element(0x02, sign, shortest);
}

/** Whole bytes of bits. */
export const bitString = (content: Uint8Array): Buffer => element(0x03, Buffer.from([0]), content);

/** An object identifier in dotted form, e.g. `2.5.29.17`. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** A time to the second: UTCTime until 2049, GeneralizedTime after (RFC 5280 §4.1.2.5). */
export function time(unixMs: number): Buffer {
  const digits = new Date(unixMs).toISOString().replace(/\.\d+|[-:T]/g, '');
  const year = Number(digits.slice(0, 4));
  return year >= 1950 && year < 2050
    ? element(0x17, Buffer.from(digits.slice(2)))
    : element(0x18, Buffer.from(digits));
}

function lengthOf(bytes: number): Buffer {
  if (bytes < 0x80) return Buffer.from([bytes]);
  const digits = [];
  for (let rest = bytes; rest > 0; rest >>>= 8) digits.unshift(rest & 0xff);
  return Buffer.from([0x80 | digits.length, ...digits]);
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) digits.unshift(0x80 | (rest & 0x7f));
  return digits;
}
