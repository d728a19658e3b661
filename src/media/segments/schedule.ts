import { segmentRateHz } from './segment.ts';
import type { SegmentPicture, SegmentSoundPacket } from './segment-encoders.ts';

/** One write of a segment; `offsetNs` is its deadline and its capture time, after the segment's begin. */
export type ScheduledWrite =
  | { readonly kind: 'sound'; readonly offsetNs: bigint; readonly sound: SegmentSoundPacket }
  | {
      readonly kind: 'picture';
      readonly offsetNs: bigint;
      readonly picture: SegmentPicture;
      readonly index: number;
    };

export interface Schedule {
  /** In the order of their deadlines; of two at once the sound first, since it is heard if it is late. */
  readonly writes: readonly ScheduledWrite[];
  /** When the last sample and the last picture are over. */
  readonly lengthNs: bigint;
}

/** Merges the sound and the pictures of a segment. */
export function scheduleOf(segment: {
  readonly sounds: readonly SegmentSoundPacket[];
  readonly pictures: readonly SegmentPicture[];
  readonly framesPerSecond: number;
}): Schedule {
  const { sounds, pictures, framesPerSecond } = segment;
  const writes: ScheduledWrite[] = [];
  let samples = 0;
  for (const sound of sounds) {
    writes.push({ kind: 'sound', offsetNs: soundNs(samples), sound });
    samples += sound.samples;
  }
  for (const [index, picture] of pictures.entries()) {
    writes.push({
      kind: 'picture',
      offsetNs: pictureNs(index, framesPerSecond),
      ...{ picture, index },
    });
  }
  // Stable: at one deadline the sound, which was pushed first, stays first.
  writes.sort((a, b) => Number(a.offsetNs - b.offsetNs));
  const soundEnd = soundNs(samples);
  const pictureEnd = pictures.length === 0 ? 0n : pictureNs(pictures.length, framesPerSecond);
  return { writes, lengthNs: soundEnd > pictureEnd ? soundEnd : pictureEnd };
}

function soundNs(samples: number): bigint {
  return (BigInt(samples) * 1_000_000_000n) / BigInt(segmentRateHz);
}

function pictureNs(index: number, framesPerSecond: number): bigint {
  return BigInt(Math.round((index * 1e9) / framesPerSecond));
}
