import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Card } from './card-delay.ts';
import { CardRecorder, type Recording } from './card-recorder.ts';
import { seededRandom } from './chirp.ts';
import { formatWav, type Playback, playWav } from './wav-player.ts';

/**
 * Noise of one level: what is missing of it is quiet, and where it sounds twice, at two delays, its power
 * doubles, since noise is like itself at no other delay. A tone would do neither for sure.
 */

const rateHz = 48_000;
/** −17 dBFS RMS: uniform noise has 1/√3 of its peak. */
const peak = 0.25;
const seconds = 10;

/** Of a quiet block; short, so that what lies between the blocks of a gap is short too. */
const quietBlockMs = 2;
/** Power relative to the usual; a block of 2 ms of noise never comes to so little by chance. */
const quietPower = 0.2;
/** Of a doubled block; long, so that its power is known to a tenth. */
const doubledBlockMs = 10;
const doubledPower = 1.6;

/** Plays noise on `card` until stopped, without a gap, again after a restart of its server. */
export async function playNoise(card: Card, seed = 5): Promise<Playback> {
  const dir = await mkdtemp(join(card.server.dir, 'noise-'));
  const random = seededRandom(seed);
  const samples = new Int16Array(2 * seconds * rateHz);
  for (let n = 0; n < samples.length; n += 2) {
    samples[n] = samples[n + 1] = Math.round((2 * random() - 1) * peak * 32_767);
  }
  const file = join(dir, 'noise.wav');
  await writeFile(file, formatWav(samples, { rateHz, channels: 2 }));
  const playback = await playWav(card.server, card.sink, file, { loop: true });
  await rm(dir, { recursive: true, force: true });
  return playback;
}

/** A stretch of a recording, in ms of performance.now(). */
export interface Stretch {
  readonly fromMs: number;
  readonly ms: number;
}

export interface NoiseFaults {
  /** Where it was missing, to 2 ms. */
  readonly gaps: readonly Stretch[];
  /** Where it sounded twice, to 10 ms. */
  readonly doubled: readonly Stretch[];
}

/** Where the noise of a recording was missing or sounded twice. It must be whole for most of the recording. */
export function noiseFaults(recording: Recording): NoiseFaults {
  return {
    gaps: stretches(recording, quietBlockMs, (power) => power < quietPower),
    doubled: stretches(recording, doubledBlockMs, (power) => power > doubledPower),
  };
}

function stretches(
  recording: Recording,
  blockMs: number,
  isMeant: (relativePower: number) => boolean,
): Stretch[] {
  const powers = blockPowers(recording, (rateHz / 1_000) * blockMs);
  const usual = powers.toSorted()[powers.length >> 1] ?? 0;
  const found: Stretch[] = [];
  let length = 0;
  for (let n = 0; n <= powers.length; n += 1) {
    if (n < powers.length && isMeant((powers[n] ?? 0) / usual)) {
      length += 1;
      continue;
    }
    if (length > 0) {
      found.push({
        fromMs: recording.startMs + (n - length) * blockMs,
        ms: length * blockMs,
      });
    }
    length = 0;
  }
  return found;
}

/** Mean square of the first channel, block by block. */
function blockPowers({ samples, channels }: Recording, block: number): Float64Array {
  const powers = new Float64Array(Math.floor(samples.length / channels / block));
  for (let n = 0; n < powers.length; n += 1) {
    let sum = 0;
    for (let at = n * block; at < (n + 1) * block; at += 1) {
      sum += ((samples[at * channels] ?? 0) / 32_768) ** 2;
    }
    powers[n] = sum / block;
  }
  return powers;
}

/** Faults of the noise that a card plays while `act` runs. Throws when the recording itself lost samples. */
export async function noiseFaultsDuring(
  card: Card,
  act: () => Promise<void>,
): Promise<NoiseFaults> {
  const recorder = new CardRecorder(card.server, card.sink, { clockToleranceMs });
  await recorder.start();
  try {
    await act();
  } catch (error) {
    await recorder.stop();
    throw error;
  }
  return noiseFaults(await recorder.stop());
}

const mostTold = 12;

/** Of long recordings: what is looked for in them lies within hundreds of ms. */
const clockToleranceMs = 20;

/** What of `stretches` touches a moment of `timesMs`, from 50 ms before it to 200 ms after it: later ones are the network's. */
export function nearTo(stretches: readonly Stretch[], timesMs: readonly number[]): Stretch[] {
  return stretches.filter(({ fromMs, ms }) =>
    timesMs.some((atMs) => fromMs + ms > atMs - 50 && fromMs < atMs + 200),
  );
}

/** For a person: faults, the first {@link mostTold} of each kind, in ms since the first of `timesMs` or else the first gap. */
export function faultsText(
  { gaps, doubled }: NoiseFaults,
  timesMs: readonly number[] = [],
): string {
  const originMs = timesMs[0] ?? gaps[0]?.fromMs ?? 0;
  const list = (stretches: readonly Stretch[]): string =>
    [
      ...stretches
        .slice(0, mostTold)
        .map(({ fromMs, ms }) => `${ms} ms at ${Math.round(fromMs - originMs)}`),
      ...(stretches.length > mostTold ? [`${stretches.length - mostTold} more`] : []),
    ].join(', ');
  const changes = timesMs.map((atMs) => Math.round(atMs - originMs)).join(', ');
  return `changes at ${changes || 'none'}; gaps: ${list(gaps) || 'none'}; twice: ${list(doubled) || 'none'}`;
}
