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
