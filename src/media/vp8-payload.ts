import { maxVideoPayloadBytes } from './packet-size.ts';

/**
 * VP8 in RTP payloads (RFC 7741 §4.2): a descriptor of four bytes before each part of the frame.
 *
 * X and I are set for a picture number of 15 bits, by which a receiver tells a lost frame from one
 * that was never sent. All packets are labelled partition 0 (PID may stay 0, §4.2), so S is set on
 * the first packet of the frame only.
 */
const descriptorBytes = 4;
const extended = 0x80;
const startOfPartition = 0x10;
const hasPictureId = 0x80;
const longPictureId = 0x8000;

/** Picture numbers count modulo this. */
export const pictureIds = 0x8000;

/**
 * The payloads of one frame, in order; none for an empty frame. Parts are of equal size, so that no
 * packet is nearly empty. Costs one allocation and one copy of the frame.
 */
export function packetizeVp8(
  frame: Uint8Array,
  pictureId: number,
  maxBytes = maxVideoPayloadBytes,
): Buffer[] {
  const room = maxBytes - descriptorBytes;
  const count = Math.ceil(frame.length / room);
  const all = Buffer.allocUnsafeSlow(frame.length + count * descriptorBytes);
  const payloads: Buffer[] = [];
  let at = 0;
  let from = 0;
  for (let index = 0; index < count; index += 1) {
    const to = Math.floor((frame.length * (index + 1)) / count);
    const start = at;
    at = all.writeUInt8(extended | (index === 0 ? startOfPartition : 0), at);
    at = all.writeUInt8(hasPictureId, at);
    at = all.writeUInt16BE(longPictureId | (pictureId % pictureIds), at);
    all.set(frame.subarray(from, to), at);
    at += to - from;
    from = to;
    payloads.push(all.subarray(start, at));
  }
  return payloads;
}
