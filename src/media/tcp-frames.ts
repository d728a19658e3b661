/** Framing of datagrams over TCP (RFC 4571 §2): a length of two bytes before each. */

/** More than any datagram of ours or a browser's: SRTP and STUN stay below a path's MTU, DTLS below 1,500. */
export const maxFrameBytes = 2_048;
const lengthBytes = 2;

/** Cuts a byte stream into datagrams. Holds one incomplete frame at most. */
export class TcpFrameReader {
  #held: Buffer = Buffer.alloc(0);

  /**
   * The datagrams that are complete with `chunk`, in order; undefined when one is longer than
   * {@link maxFrameBytes}: the stream is of no use from then on. Their bytes are the chunk's, or a copy.
   */
  push(chunk: Buffer): Buffer[] | undefined {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const frames: Buffer[] = [];
    let offset = 0;
    while (bytes.length - offset >= lengthBytes) {
      const length = bytes.readUInt16BE(offset);
      if (length > maxFrameBytes) return undefined;
      const end = offset + lengthBytes + length;
      if (end > bytes.length) break;
      frames.push(bytes.subarray(offset + lengthBytes, end));
      offset = end;
    }
    // A copy, so that a few bytes do not keep a whole chunk alive.
    this.#held = Buffer.from(bytes.subarray(offset));
    return frames;
  }
}

/** One frame, in one piece: a copy, since TCP may keep it waiting. Undefined when it is too long. */
export function writeTcpFrame(parts: Buffer | readonly Uint8Array[]): Buffer | undefined {
  const pieces = Buffer.isBuffer(parts) ? [parts] : parts;
  let length = 0;
  for (const piece of pieces) length += piece.length;
  if (length > maxFrameBytes) return undefined;
  const frame = Buffer.allocUnsafe(lengthBytes + length);
  frame.writeUInt16BE(length);
  let offset = lengthBytes;
  for (const piece of pieces) {
    frame.set(piece, offset);
    offset += piece.length;
  }
  return frame;
}
