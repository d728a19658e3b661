import { EarshotError } from '../../errors/earshot-error.ts';
import { picturesNs, type Segment, segmentRateHz } from './segment.ts';
import {
  type SegmentEncoders,
  type SegmentPicture,
  type SegmentSoundPacket,
  segmentPacketSamples,
} from './segment-encoders.ts';

export interface EncodedSegment {
  readonly segment: Segment;
  readonly sounds: readonly SegmentSoundPacket[];
  readonly pictures: readonly SegmentPicture[];
}

/** Encodes sound and pictures of a segment at once. Rejects with what an encoder says, or MEDIA_SEGMENT_FAILED when it gives too little. */
export async function encodeSegment(
  encoders: SegmentEncoders,
  segment: Segment,
  signal: AbortSignal,
): Promise<EncodedSegment> {
  const { pictures: raw, width, height, framesPerSecond } = segment;
  const pcm = paddedSound(segment);
  const [sounds, pictures] = await Promise.all([
    pcm.length === 0 ? [] : encoders.encodeSound(pcm, signal),
    raw.length === 0
      ? []
      : encoders.encodePictures(raw, { width, height, framesPerSecond }, signal),
  ]);
  expectCount('packets of sound', sounds.length, pcm.length / 2 / segmentPacketSamples);
  expectCount('pictures', pictures.length, raw.length);
  return { segment, sounds, pictures };
}

/** Sound of whole packets, as long as the pictures at least: shorter sound would let its clock fall behind theirs. */
function paddedSound(segment: Segment): Int16Array {
  const { pcm } = segment;
  if (pcm.length === 0) return pcm;
  const forPictures = Math.floor((picturesNs(segment) * segmentRateHz) / 1e9);
  const samples = Math.max(pcm.length / 2, forPictures);
  const padded = Math.ceil(samples / segmentPacketSamples) * segmentPacketSamples;
  if (padded * 2 === pcm.length) return pcm;
  const sound = new Int16Array(padded * 2);
  sound.set(pcm);
  return sound;
}

function expectCount(what: string, count: number, expected: number): void {
  if (count === expected) return;
  throw new EarshotError(
    'MEDIA_SEGMENT_FAILED',
    `The encoder gave ${count} ${what}; allowed is ${expected}.`,
    { details: { count, expected } },
  );
}
