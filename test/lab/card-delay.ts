import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CardRecorder, chirpTimes } from './card-recorder.ts';
import { chirpRateHz, chirpTrack } from './chirp.ts';
import { type Delays, matchDelays } from './correlate.ts';
import type { SoundServer } from './sound-server.ts';
import { formatWav, type Playback, playWav } from './wav-player.ts';

/** A sound card of the lab. */
export interface Card {
  readonly server: SoundServer;
  readonly sink: string;
  /** To record it as a program does whose microphone it is, not from the card itself. */
  readonly asMicrophone?: boolean;
}

/** Plays chirps on `card`, without end and again after a restart of its server, until stopped. */
export async function playChirps(card: Card, seed = 1): Promise<Playback> {
  const dir = await mkdtemp(join(card.server.dir, 'chirps-'));
  const { samples } = chirpTrack({ seconds: 60, seed });
  const file = join(dir, 'chirps.wav');
  await writeFile(file, formatWav(samples, { rateHz: chirpRateHz, channels: 2 }));
  const playback = await playWav(card.server, card.sink, file, { loop: true });
  await rm(dir, { recursive: true, force: true });
  return playback;
}

/**
 * The delay from one sound card to another: records both for `ms` and pairs each chirp that `from`
 * played with the same chirp on `to`. Chirps must already be playing on `from`.
 */
export async function measureCardDelay(options: {
  readonly from: Card;
  readonly to: Card;
  readonly ms: number;
}): Promise<Delays> {
  const recorders = [options.from, options.to].map(
    ({ server, sink, asMicrophone }) =>
      new CardRecorder(server, sink, asMicrophone === undefined ? {} : { asMicrophone }),
  );
  const recordings = await recordAll(recorders, options.ms);
  const [played = [], heard = []] = recordings.map(chirpTimes);
  const [from, to] = recordings;
  // A chirp counts when its sound would lie whole within the other recording, however late it came.
  const begin = Math.max(from?.startMs ?? 0, to?.startMs ?? 0);
  const lastMs = begin + options.ms - latestMs;
  return matchDelays(
    played.filter((at) => at > begin + 5 && at < lastMs),
    heard,
  );
}

/** Delays up to this are found at the end of a recording; the tail of it is not searched for chirps played. */
const latestMs = 500;

async function recordAll(recorders: readonly CardRecorder[], ms: number) {
  try {
    await Promise.all(recorders.map((recorder) => recorder.start()));
    await delay(ms);
  } catch (error) {
    await Promise.allSettled(recorders.map((recorder) => recorder.stop()));
    throw error;
  }
  return await Promise.all(recorders.map((recorder) => recorder.stop()));
}
