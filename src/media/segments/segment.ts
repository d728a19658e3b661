import { EarshotError } from '../../errors/earshot-error.ts';
import { payloadLimits } from '../../ipc/messages.ts';

/** The longest segment, in ms: what is in the pipeline at once is bounded by it. */
export const maxSegmentMs = 10_000;
export const maxFramesPerSecond = 120;
const minSide = 16;
const maxSide = 4_096;
/** Width and height before the pixels, in a `picture` message. */
const pictureHeaderBytes = 4;

/** 48 kHz, interleaved stereo. */
export const segmentRateHz = 48_000;
const channels = 2;

/** A clip: raw pictures, sound, or both. Its buffers must stay as they are until it was encoded. */
export interface Segment {
  /** Segments of an epoch older than the newest are dropped; 0: of the epoch that is current now. */
  readonly epoch: number;
  readonly kind: 'clip';
  /** Above 0, at most 120; means nothing without pictures. */
  readonly framesPerSecond: number;
  /** 16–4,096 each; a picture of at most 4 MiB. */
  readonly width: number;
  readonly height: number;
  /** RGB, 3 bytes a pixel, row by row. May be the same buffer several times. */
  readonly pictures: readonly Buffer[];
  /** 48 kHz stereo, interleaved. Padded with silence to the length of the pictures, when there is any. */
  readonly pcm: Int16Array;
  /** A calibration marker: its number, and the picture with which it begins. */
  readonly marker?: { readonly id: number; readonly picture: number };
}

/** How long the pictures last, in ns. */
export function picturesNs({ pictures, framesPerSecond }: Segment): number {
  return pictures.length === 0 ? 0 : (pictures.length * 1e9) / framesPerSecond;
}

/** Throws MEDIA_SEGMENT_INVALID naming the field, its value and what is allowed. */
export function checkSegment(segment: Segment): void {
  const { epoch, pictures, pcm } = segment;
  demand(Number.isSafeInteger(epoch) && epoch >= 0, 'epoch', epoch, 'a whole number from 0');
  demand(segment.kind === 'clip', 'kind', segment.kind, '"clip"');
  demand(
    pictures.length > 0 || pcm.length > 0,
    'pictures and pcm',
    'nothing',
    'a picture or a sample at least',
  );
  if (pictures.length > 0) checkPictures(segment);
  checkSound(pcm);
  if (segment.marker !== undefined) checkMarker(segment.marker, pictures.length);
}

function checkPictures(segment: Segment): void {
  const { framesPerSecond, width, height, pictures } = segment;
  demand(
    Number.isFinite(framesPerSecond) &&
      framesPerSecond > 0 &&
      framesPerSecond <= maxFramesPerSecond,
    'framesPerSecond',
    framesPerSecond,
    `above 0, at most ${maxFramesPerSecond}`,
  );
  checkSide('width', width);
  checkSide('height', height);
  const bytes = width * height * 3;
  demand(
    bytes + pictureHeaderBytes <= payloadLimits.picture,
    'width × height × 3',
    bytes,
    `at most ${payloadLimits.picture - pictureHeaderBytes} bytes`,
  );
  for (const [index, picture] of pictures.entries()) {
    demand(
      picture.length === bytes,
      `pictures[${index}]`,
      `${picture.length} bytes`,
      `${bytes} bytes, ${width}×${height} in RGB`,
    );
  }
  const lengthMs = picturesNs(segment) / 1e6;
  demand(lengthMs <= maxSegmentMs, 'pictures', `${lengthMs} ms`, `at most ${maxSegmentMs} ms`);
}

function checkSide(field: 'width' | 'height', value: number): void {
  demand(
    Number.isSafeInteger(value) && value >= minSide && value <= maxSide,
    field,
    value,
    `a whole number from ${minSide} to ${maxSide}`,
  );
}

function checkSound(pcm: Int16Array): void {
  demand(
    pcm.length % channels === 0,
    'pcm',
    `${pcm.length} samples`,
    'an even number: left and right in turn',
  );
  const most = (maxSegmentMs * segmentRateHz * channels) / 1_000;
  demand(pcm.length <= most, 'pcm', `${pcm.length} samples`, `at most ${most}`);
}

function checkMarker(marker: { id: number; picture: number }, pictures: number): void {
  const { id, picture } = marker;
  demand(Number.isSafeInteger(id) && id >= 0, 'marker.id', id, 'a whole number from 0');
  demand(
    Number.isSafeInteger(picture) && picture >= 0 && picture < pictures,
    'marker.picture',
    picture,
    `the number of a picture, 0 to ${pictures - 1}`,
  );
}

function demand(holds: boolean, field: string, value: unknown, allowed: string): void {
  if (holds) return;
  throw new EarshotError(
    'MEDIA_SEGMENT_INVALID',
    `${field} of the segment is ${String(value)}; allowed is ${allowed}.`,
    { details: { field, value, allowed } },
  );
}
