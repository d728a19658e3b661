/**
 * Chirps: short sweeps that correlate sharply and survive every codec setting of the presets, at
 * distances that never repeat, over a bed of quiet noise (a host's sound is hardly ever pure silence,
 * in which a codec stops sending and a jitter buffer behaves otherwise).
 */

export const chirpRateHz = 48_000;
const chirpMs = 30;
const fadeMs = 3;
const fromHz = 600;
const toHz = 3_400;
/** −9 and −60 dBFS. */
const chirpLevel = 0.35;
const noiseLevel = 0.001;

/** Distance of two chirps, start to start: uniform between these, in ms. A delay below the smaller is unambiguous. */
export const chirpSpacingMs = { least: 420, most: 620 } as const;

/** Uniform numbers in 0…1 that are the same on every machine (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** One chirp at `rateHz`, amplitude 1. */
export function chirp(rateHz: number): Float32Array {
  const length = Math.round((chirpMs / 1_000) * rateHz);
  const fade = Math.round((fadeMs / 1_000) * rateHz);
  const sweepHzPerS = (toHz - fromHz) / (chirpMs / 1_000);
  return Float32Array.from({ length }, (_, n) => {
    const t = n / rateHz;
    const edge = Math.min(1, (n + 0.5) / fade, (length - n - 0.5) / fade);
    const window = 0.5 - 0.5 * Math.cos(Math.PI * edge);
    return window * Math.sin(2 * Math.PI * (fromHz * t + (sweepHzPerS * t * t) / 2));
  });
}

export interface ChirpTrack {
  /** Interleaved stereo, 48 kHz, the same sound in both channels. */
  readonly samples: Int16Array;
  /** Where each chirp begins, in ms. */
  readonly startsMs: readonly number[];
}

/** `seconds` of chirps over quiet noise; the same for the same seed. */
export function chirpTrack({ seconds, seed }: { seconds: number; seed: number }): ChirpTrack {
  const random = seededRandom(seed);
  const length = Math.round(seconds * chirpRateHz);
  const mono = Float32Array.from({ length }, () => (2 * random() - 1) * noiseLevel);
  const sweep = chirp(chirpRateHz);
  const { least, most } = chirpSpacingMs;
  const startsMs: number[] = [];
  // The last chirp keeps its distance from the first of the next round.
  for (let atMs = 100; atMs + least <= seconds * 1_000; atMs += least + random() * (most - least)) {
    const start = Math.round((atMs / 1_000) * chirpRateHz);
    startsMs.push((start / chirpRateHz) * 1_000);
    sweep.forEach((value, n) => {
      mono[start + n] = (mono[start + n] ?? 0) + value * chirpLevel;
    });
  }
  const samples = new Int16Array(2 * length);
  mono.forEach((value, n) => {
    samples[2 * n] = samples[2 * n + 1] = Math.round(value * 32_767);
  });
  return { samples, startsMs };
}
