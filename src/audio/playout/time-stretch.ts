import { rise } from './rise.ts';

/** What is taken out or put in at once, at 48 kHz: 2.5–15 ms, which holds a period of any voice from 67 Hz. */
const leastLag = 120;
const mostLag = 720;
const longestMs = 15;
const samplesPerMs = 48;
/** The cross-fade, in samples: as long as there is room for. */
const leastFade = 120;
const mostFade = 480;
/** Alike enough that going over from one to the other is not heard. */
const alike = 0.9;
/** Mean square below which nothing is heard anyway: −60 dBFS. */
const quietPower = 1e-6;

/** Where a block can be cut and joined. One object for all calls: nothing is allocated. */
const join = { lag: 0, fade: 0 };

/**
 * Takes 2.5–15 ms out of a block of float32 PCM, interleaved, in place, where that is not heard: a whole
 * number of the sound's periods, with a cross-fade, the block's ends untouched. `mostMs` bounds
 * what is taken out: give it the step's `stretchMs`. Returns the samples per channel left; as many as there were when there is no such place, or the block is shorter than 5 ms.
 * A block of 20 ms or more has room for every voice's period. About 0.3 ms a call at 20 ms of stereo, at most ten calls a second, no allocation.
 */
export function shorten(
  pcm: Float32Array,
  samples: number,
  channels: number,
  mostMs: number = longestMs,
): number {
  if (!findJoin(pcm, samples, channels, mostMs * samplesPerMs)) return samples;
  const { lag, fade } = join;
  const start = Math.floor((samples - lag - fade) / 2);
  for (let i = 0; i < fade; i += 1) {
    const later = rise((i + 0.5) / fade);
    const at = (start + i) * channels;
    for (let channel = at; channel < at + channels; channel += 1) {
      const now = pcm[channel] ?? 0;
      pcm[channel] = now + ((pcm[channel + lag * channels] ?? 0) - now) * later;
    }
  }
  const end = start + fade;
  pcm.copyWithin(end * channels, (end + lag) * channels, samples * channels);
  return samples - lag;
}

/**
 * Puts 2.5–15 ms into a block, likewise. `pcm` must have room for them behind the block: 720 samples per
 * channel are always enough; with less, less is put in or nothing.
 */
export function lengthen(
  pcm: Float32Array,
  samples: number,
  channels: number,
  mostMs: number = longestMs,
): number {
  const room = Math.floor(pcm.length / channels) - samples;
  if (!findJoin(pcm, samples, channels, Math.min(room, mostMs * samplesPerMs))) return samples;
  const { lag, fade } = join;
  const start = Math.floor((samples - lag - fade) / 2);
  // The sound up to `start + lag + fade`, then over again from `start + fade`, faded over before that.
  pcm.copyWithin((start + lag + fade) * channels, (start + fade) * channels, samples * channels);
  for (let i = fade - 1; i >= 0; i -= 1) {
    const earlier = rise((i + 0.5) / fade);
    const at = (start + i) * channels;
    for (let channel = at; channel < at + channels; channel += 1) {
      const now = pcm[channel + lag * channels] ?? 0;
      pcm[channel + lag * channels] = now + ((pcm[channel] ?? 0) - now) * earlier;
    }
  }
  return samples + lag;
}

/** Looks for the lag at which the sound is most like itself; false when it is nowhere alike enough. */
function findJoin(pcm: Float32Array, samples: number, channels: number, most: number): boolean {
  const longest = Math.floor(Math.min(mostLag, samples - leastFade, most));
  if (longest < leastLag) return false;
  if (power(pcm, samples * channels) < quietPower) return take(longest, samples);
  // Looked for in every fifth sample, then decided in all of them.
  const near = likeliest(pcm, { samples, channels, from: leastLag, to: longest, step: 5 });
  const from = Math.max(near - 2, leastLag);
  const to = Math.min(near + 2, longest);
  const lag = likeliest(pcm, { samples, channels, from, to, step: 1 });
  return likeness(pcm, { samples, channels, lag, step: 1 }) >= alike && take(lag, samples);
}

function take(lag: number, samples: number): true {
  join.lag = lag;
  join.fade = Math.min(samples - lag, mostFade);
  return true;
}

interface Search {
  readonly samples: number;
  readonly channels: number;
  readonly from: number;
  readonly to: number;
  readonly step: number;
}

function likeliest(pcm: Float32Array, { samples, channels, from, to, step }: Search): number {
  let best = Number.NEGATIVE_INFINITY;
  let bestLag = from;
  for (let lag = from; lag <= to; lag += 1) {
    const found = likeness(pcm, { samples, channels, lag, step });
    if (found > best) {
      best = found;
      bestLag = lag;
    }
  }
  return bestLag;
}

/** Normalised cross-correlation of what would be faded out with what would be faded in, in every `step`th sample. */
function likeness(
  pcm: Float32Array,
  at: { samples: number; channels: number; lag: number; step: number },
): number {
  const { samples, channels, lag, step } = at;
  const fade = Math.min(samples - lag, mostFade);
  const start = Math.floor((samples - lag - fade) / 2);
  const end = (start + fade) * channels;
  const shift = lag * channels;
  let product = 0;
  let before = 0;
  let after = 0;
  for (let frame = start * channels; frame < end; frame += step * channels) {
    for (let channel = frame; channel < frame + channels; channel += 1) {
      const x = pcm[channel] ?? 0;
      const y = pcm[channel + shift] ?? 0;
      product += x * y;
      before += x * x;
      after += y * y;
    }
  }
  return product / Math.sqrt(before * after + 1e-20);
}

function power(pcm: Float32Array, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i += 1) sum += (pcm[i] ?? 0) ** 2;
  return sum / length;
}
