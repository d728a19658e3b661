import { drawCard, fillBlock, type Rgb } from './segments/card.ts';
import { type Segment, segmentRateHz } from './segments/segment.ts';

/** How a clip's pictures are made. */
export interface CalibrationFormat {
  readonly width: number;
  readonly height: number;
  /** Above 0, at most 120. */
  readonly framesPerSecond: number;
}

/** What a browser of any size shows and any board encodes: 40 ms a picture, two packets of sound. */
export const calibrationFormat: CalibrationFormat = {
  width: 640,
  height: 360,
  framesPerSecond: 25,
};

const magenta: Rgb = [255, 0, 255];
const smallestBlock = 48;
const markerPictures = 2;

export const chirpHz = 1_800;
const chirpAmplitude = 22_000;
const shortestChirpMs = 60;
const fadeMs = 5;
const channels = 2;

const words = ['A/V calibration', 'one flash, one chirp'];

/**
 * A clip of a second with one marker in its middle: over two pictures a magenta block in the top left fifth, and
 * from the first of them on a chirp. Over a still card with words, or over the RGB that is given; the sound over
 * silence, or over what is given (48 kHz stereo). `soundShiftMs` later than the flash (or earlier) the chirp
 * begins, as far as the clip reaches; 0 unless told.
 */
export function calibrationClip(options: {
  readonly marker: number;
  readonly epoch: number;
  readonly format: CalibrationFormat;
  readonly background?: Buffer | undefined;
  readonly pcm?: Int16Array | undefined;
  readonly soundShiftMs?: number;
}): Segment {
  const { marker, epoch, format, background, pcm, soundShiftMs = 0 } = options;
  const { width, height, framesPerSecond } = format;
  const still = background ?? calibrationCard(format);
  const flash = Buffer.from(still);
  drawMarker(flash, format);
  const count = Math.max(Math.round(framesPerSecond), 2 * markerPictures);
  const picture = Math.floor(count / 2);
  const pictures = Array.from({ length: count }, (_, index) =>
    index >= picture && index < picture + markerPictures ? flash : still,
  );
  const samples = Math.ceil((count * segmentRateHz) / framesPerSecond);
  const sound = new Int16Array(Math.max(samples * channels, pcm?.length ?? 0));
  if (pcm !== undefined) sound.set(pcm);
  const chirpS = picture / framesPerSecond + soundShiftMs / 1_000;
  const latest = samples - chirpSamples(framesPerSecond);
  const from = Math.min(Math.max(Math.round(chirpS * segmentRateHz), 0), Math.max(latest, 0));
  addChirp(sound, { from, framesPerSecond });
  return {
    ...{ epoch, kind: 'clip', width, height, framesPerSecond, pictures, pcm: sound },
    marker: { id: marker, picture },
  };
}

/** The still picture that markers are put over. */
export function calibrationCard({ width, height }: CalibrationFormat): Buffer {
  return drawCard({ width, height, lines: words });
}

/** The block: a fifth of each side, 48 pixels at least. */
export function drawMarker(
  picture: Buffer,
  { width, height }: { readonly width: number; readonly height: number },
): void {
  const block = {
    ...{ x: 0, y: 0 },
    width: Math.max(Math.floor(width / 5), smallestBlock),
    height: Math.max(Math.floor(height / 5), smallestBlock),
  };
  fillBlock({ picture, width, height }, block, magenta);
}

/** Samples per channel of a chirp: as long as the flash, 60 ms at least. */
export function chirpSamples(framesPerSecond: number): number {
  const seconds = Math.max(markerPictures / framesPerSecond, shortestChirpMs / 1_000);
  return Math.round(seconds * segmentRateHz);
}

/** Adds a chirp to interleaved stereo, with its first sample at `from`; what would exceed 16 bits saturates. */
export function addChirp(
  pcm: Int16Array,
  { from, framesPerSecond }: { readonly from: number; readonly framesPerSecond: number },
): void {
  const samples = chirpSamples(framesPerSecond);
  const fade = (fadeMs * segmentRateHz) / 1_000;
  for (let i = 0; i < samples; i += 1) {
    const envelope = Math.min(1, i / fade, (samples - i) / fade);
    const phase = (2 * Math.PI * chirpHz * i) / segmentRateHz;
    const value = Math.round(chirpAmplitude * envelope * Math.sin(phase));
    for (let at = (from + i) * channels; at < (from + i + 1) * channels; at += 1) {
      if (at < pcm.length) pcm[at] = Math.min(Math.max((pcm[at] ?? 0) + value, -32_768), 32_767);
    }
  }
}
