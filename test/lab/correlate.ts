import { chirp, chirpSpacingMs } from './chirp.ts';

/** Finds chirps in recordings by normalised cross-correlation, and from two recordings the delay between them. */

/** Recordings are searched at a quarter of 48 kHz: the chirp ends at 3.4 kHz. */
const searchRateHz = 12_000;
const decimation = 4;

/** Correlation above which a sound is a chirp; 1 is the chirp itself, and noise stays below 0.25. */
const chirpThreshold = 0.5;

/** Two peaks within this are one chirp. */
const refractoryMs = 100;

/** Left channel of interleaved 48 kHz samples, at a quarter of the rate. */
export function forSearch(samples: Int16Array, channels: number): Float32Array {
  const length = Math.floor(samples.length / channels / decimation);
  const result = new Float32Array(length);
  for (let n = 0; n < length; n += 1) {
    let sum = 0;
    for (let k = 0; k < decimation; k += 1) sum += samples[(n * decimation + k) * channels] ?? 0;
    result[n] = sum / decimation / 32_768;
  }
  return result;
}

/** Correlation of `signal` with `template` at each position, −1…1 (0 where the signal is silent). */
export function correlate(signal: Float32Array, template: Float32Array): Float32Array {
  const length = Math.max(0, signal.length - template.length + 1);
  const result = new Float32Array(length);
  const templatePower = power(template, 0, template.length);
  for (let at = 0; at < length; at += 1) {
    let sum = 0;
    for (let n = 0; n < template.length; n += 1) {
      sum += (signal[at + n] ?? 0) * (template[n] ?? 0);
    }
    result[at] = sum;
  }
  let windowPower = power(signal, 0, template.length);
  for (let at = 0; at < length; at += 1) {
    // Below −90 dBFS there is nothing to be found.
    const scale = Math.sqrt(Math.max(windowPower, template.length * 1e-9) * templatePower);
    result[at] = (result[at] ?? 0) / scale;
    windowPower += (signal[at + template.length] ?? 0) ** 2 - (signal[at] ?? 0) ** 2;
  }
  return result;
}

function power(signal: Float32Array, from: number, to: number): number {
  let sum = 0;
  for (let n = from; n < to; n += 1) sum += (signal[n] ?? 0) ** 2;
  return sum;
}

export interface FoundChirp {
  /** Start in ms from the beginning of the recording. */
  readonly atMs: number;
  /** 0–1: how much it is like the chirp that was played. */
  readonly correlation: number;
}

/** The chirps in interleaved 48 kHz samples, in order. */
export function findChirps(samples: Int16Array, channels: number): FoundChirp[] {
  const template = chirp(searchRateHz);
  const correlation = correlate(forSearch(samples, channels), template);
  const refractory = (refractoryMs / 1_000) * searchRateHz;
  const found: { at: number; value: number }[] = [];
  for (let at = 0; at < correlation.length; at += 1) {
    // A path may turn the sound upside down.
    const value = Math.abs(correlation[at] ?? 0);
    if (value < chirpThreshold) continue;
    const last = found.at(-1);
    if (last === undefined || at - last.at > refractory) found.push({ at, value });
    else if (value > last.value) found[found.length - 1] = { at, value };
  }
  return found.map(({ at, value }) => ({
    atMs: ((at + vertex(correlation, at)) / searchRateHz) * 1_000,
    correlation: value,
  }));
}

/** Where between two samples the peak at `at` lies: the vertex of a parabola through it and its neighbours. */
function vertex(values: Float32Array, at: number): number {
  const [before, here, after] = [at - 1, at, at + 1].map((n) => Math.abs(values[n] ?? 0));
  if (before === undefined || here === undefined || after === undefined) return 0;
  const curvature = before - 2 * here + after;
  return curvature === 0 ? 0 : Math.max(-0.5, Math.min(0.5, (before - after) / 2 / curvature));
}

export interface Delays {
  /** One delay per chirp that was found on both sides, in order. */
  readonly delaysMs: readonly number[];
  /** Chirps that were played and not found. */
  readonly missed: number;
}

/**
 * Pairs what was played with what was heard; both are times on one clock. The delay must lie between
 * −5 ms and the least distance of two chirps.
 */
export function matchDelays(playedMs: readonly number[], heardMs: readonly number[]): Delays {
  const delaysMs: number[] = [];
  let missed = 0;
  for (const played of playedMs) {
    const heard = heardMs.find(
      (time) => time >= played - 5 && time < played - 5 + chirpSpacingMs.least,
    );
    if (heard === undefined) missed += 1;
    else delaysMs.push(heard - played);
  }
  return { delaysMs, missed };
}
