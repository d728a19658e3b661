import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Card } from './card-delay.ts';
import type { Recording } from './card-recorder.ts';
import { formatWav, type Playback, playWav } from './wav-player.ts';

/** A sound without pauses, to find interruptions by level. */

const rateHz = 48_000;
const toneHz = 1_000;
/** −12 dBFS; what is 20 dB below it counts as silence. */
const amplitude = 0.25;
const silenceRms = (amplitude / Math.SQRT2) * 0.1;
const blockMs = 5;

/** Plays a tone of whole Hz, 1 kHz unless told, on `card` until stopped, again after a restart of its server. */
export async function playTone(card: Card, hz = toneHz): Promise<Playback> {
  const dir = await mkdtemp(join(card.server.dir, 'tone-'));
  const samples = new Int16Array(2 * rateHz);
  for (let n = 0; n < rateHz; n += 1) {
    const value = amplitude * Math.sin((2 * Math.PI * hz * n) / rateHz);
    samples[2 * n] = samples[2 * n + 1] = Math.round(value * 32_767);
  }
  const file = join(dir, 'tone.wav');
  await writeFile(file, formatWav(samples, { rateHz, channels: 2 }));
  const playback = await playWav(card.server, card.sink, file, { loop: true });
  await rm(dir, { recursive: true, force: true });
  return playback;
}

export interface Silence {
  /** Between these nothing was heard, ms of performance.now(); `toMs` is Infinity while it lasts. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** The silences of a recording, in order, in steps of 5 ms. */
export function silences({ samples, channels, startMs }: Recording): Silence[] {
  const block = (rateHz / 1_000) * blockMs;
  const blocks = Math.floor(samples.length / channels / block);
  const found: Silence[] = [];
  let fromMs: number | undefined;
  for (let n = 0; n < blocks; n += 1) {
    const atMs = startMs + n * blockMs;
    const silent = rms(samples, { from: n * block, to: (n + 1) * block, channels }) < silenceRms;
    if (silent) fromMs ??= atMs;
    else if (fromMs !== undefined) {
      found.push({ fromMs, toMs: atMs });
      fromMs = undefined;
    }
  }
  if (fromMs !== undefined) found.push({ fromMs, toMs: Number.POSITIVE_INFINITY });
  return found;
}

/** Level of the first channel between two sample positions, 0–1. */
function rms(
  samples: Int16Array,
  { from, to, channels }: { from: number; to: number; channels: number },
): number {
  let sum = 0;
  for (let n = from; n < to; n += 1) sum += ((samples[n * channels] ?? 0) / 32_768) ** 2;
  return Math.sqrt(sum / (to - from));
}
