/** Samples of one frame at 48 kHz by the TOC byte's configuration number (RFC 6716 §3.1, table 2). */
const frameSamplesByConfig: readonly number[] = [
  ...[480, 960, 1920, 2880],
  ...[480, 960, 1920, 2880],
  ...[480, 960, 1920, 2880],
  ...[480, 960],
  ...[480, 960],
  ...[120, 240, 480, 960],
  ...[120, 240, 480, 960],
  ...[120, 240, 480, 960],
  ...[120, 240, 480, 960],
];

/** The longest packet: 120 ms (RFC 6716 §3.2.5, R5). */
const maxPacketSamples = 5_760;

/** A packet of so few bytes has no sound in it: the encoder pauses (DTX, RFC 7587 §3.1.3; RFC 6716 §3.1). */
export const maxDtxBytes = 2;

/** The longest frame in bytes (RFC 6716 §3.2.1, R2). */
const maxFrameBytes = 1_275;

/**
 * Samples per channel at 48 kHz that an Opus packet decodes to (RFC 6716 §3.2), or 0 when it is
 * malformed. Reads two bytes and allocates nothing.
 */
export function opusPacketSamples(packet: Uint8Array): number {
  const toc = packet[0];
  if (toc === undefined) return 0;
  const frameSamples = frameSamplesByConfig[toc >> 3] ?? 0;
  const samples = frameSamples * frameCount(toc, packet[1]);
  return samples <= maxPacketSamples ? samples : 0;
}

function frameCount(toc: number, second: number | undefined): number {
  const code = toc & 3;
  if (code === 0) return 1;
  if (code !== 3) return 2;
  return second === undefined ? 0 : second & 0x3f;
}

/**
 * True for a packet that keeps every rule of RFC 6716 §3.4, R1 to R7, so that its frames lie within it.
 * For packets from the network. Reads the TOC byte and the lengths; allocates nothing.
 */
export function isOpusPacket(packet: Uint8Array): boolean {
  const toc = packet[0];
  if (toc === undefined) return false;
  const code = toc & 3;
  if (code === 0) return packet.length - 1 <= maxFrameBytes;
  if (code === 1) return equalFrames({ bytes: packet.length - 1, frames: 2 });
  if (code === 2) return lengthsFit(packet, { from: 1, end: packet.length, lengths: 1 });
  return opusPacketSamples(packet) > 0 && countedFramesFit(packet);
}

/** Code 3: the byte that counts, the padding's length, the frames, the padding (§3.2.5). */
function countedFramesFit(packet: Uint8Array): boolean {
  const count = packet[1] ?? 0;
  const frames = count & 0x3f;
  let from = 2;
  let padding = 0;
  if ((count & 0x40) !== 0) {
    let more = 255;
    while (more === 255) {
      more = packet[from] ?? Number.POSITIVE_INFINITY;
      padding += Math.min(more, 254);
      from += 1;
    }
    if (more > 255) return false;
  }
  const end = packet.length - padding;
  if (end < from) return false;
  if ((count & 0x80) === 0) return equalFrames({ bytes: end - from, frames });
  return lengthsFit(packet, { from, end, lengths: frames - 1 });
}

/** Frames of one size that fill the packet (R3, R6). */
function equalFrames({ bytes, frames }: { bytes: number; frames: number }): boolean {
  return bytes % frames === 0 && bytes / frames <= maxFrameBytes;
}

/** Lengths of one or two bytes each, then the frames; the last one takes what is left (R4, R7; §3.2.1). */
function lengthsFit(
  packet: Uint8Array,
  { from, end, lengths }: { from: number; end: number; lengths: number },
): boolean {
  let at = from;
  let bytes = 0;
  for (let i = 0; i < lengths; i += 1) {
    if (at >= end) return false;
    let length = packet[at] ?? 0;
    at += 1;
    if (length >= 252) {
      if (at >= end) return false;
      length += 4 * (packet[at] ?? 0);
      at += 1;
    }
    bytes += length;
  }
  const last = end - at - bytes;
  return last >= 0 && last <= maxFrameBytes;
}
