import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chirp, chirpRateHz, chirpSpacingMs, chirpTrack, seededRandom } from '../../lab/chirp.ts';
import { correlate, findChirps, matchDelays } from '../../lab/correlate.ts';

const track = chirpTrack({ seconds: 10, seed: 7 });

/** The track `delaySamples` later, at `gain`, in noise of amplitude `noise` (0–1). */
function delayed(delaySamples: number, { gain = 1, noise = 0 } = {}): Int16Array {
  const random = seededRandom(99);
  return Int16Array.from({ length: track.samples.length + 2 * delaySamples }, (_, n) => {
    const sample = track.samples[n - 2 * delaySamples] ?? 0;
    const value = gain * sample + noise * (2 * random() - 1) * 32_767;
    return Math.max(-32_768, Math.min(32_767, Math.round(value)));
  });
}

function delaysOf(samples: Int16Array) {
  const heard = findChirps(samples, 2).map(({ atMs }) => atMs);
  return matchDelays(track.startsMs, heard);
}

describe('the chirp track', () => {
  it('keeps the chirps apart by distances that never repeat', () => {
    const distances = track.startsMs.slice(1).map((at, n) => at - (track.startsMs[n] ?? 0));
    assert.ok(distances.length >= 15);
    for (const distance of distances) {
      assert.ok(distance >= chirpSpacingMs.least - 0.1 && distance <= chirpSpacingMs.most + 0.1);
    }
    const sorted = [...distances].sort((a, b) => a - b);
    sorted.slice(1).forEach((distance, n) => {
      assert.ok(distance - (sorted[n] ?? 0) > 0);
    });
  });

  it('is the same for the same seed, and another for another', () => {
    assert.deepEqual(chirpTrack({ seconds: 10, seed: 7 }), track);
    assert.notDeepEqual(chirpTrack({ seconds: 10, seed: 8 }).startsMs, track.startsMs);
  });

  it('does not clip', () => {
    assert.ok(track.samples.every((sample) => Math.abs(sample) < 32_767));
  });
});

describe('correlate', () => {
  it('is 1 where the template is, −1 where it is upside down, 0 in silence', () => {
    const template = chirp(12_000);
    const signal = new Float32Array(3 * template.length);
    signal.set(template.map((value) => value * 0.01));
    signal.set(
      template.map((value) => -value),
      2 * template.length,
    );
    const result = correlate(signal, template);
    assert.ok(Math.abs((result[0] ?? 0) - 1) < 1e-3);
    assert.ok(Math.abs((result[2 * template.length] ?? 0) + 1) < 1e-3);
    assert.equal(correlate(new Float32Array(1_000), template)[100], 0);
  });
});

describe('findChirps and matchDelays', () => {
  it('find every chirp of the track itself, at its place', () => {
    const { delaysMs, missed } = delaysOf(track.samples);
    assert.equal(missed, 0);
    for (const delay of delaysMs) assert.ok(Math.abs(delay) < 0.1, `${delay}`);
  });

  for (const [name, options] of [
    ['clean', {}],
    ['quiet (−40 dB)', { gain: 0.01 }],
    ['upside down', { gain: -1 }],
    ['in noise as loud as itself', { noise: 0.35 }],
  ] as const) {
    it(`measure a known delay, ${name}`, () => {
      for (const samples of [1, 480, 4_801, 16_000]) {
        const { delaysMs, missed } = delaysOf(delayed(samples, options));
        assert.equal(missed, 0);
        const expected = (samples / chirpRateHz) * 1_000;
        for (const delay of delaysMs) {
          assert.ok(Math.abs(delay - expected) < 0.15, `${delay} instead of ${expected}`);
        }
      }
    });
  }

  it('find nothing in noise alone', () => {
    const random = seededRandom(5);
    const noise = Int16Array.from({ length: 10 * chirpRateHz }, () => (random() - 0.5) * 30_000);
    assert.deepEqual(findChirps(noise, 1), []);
  });

  it('count a chirp that is missing', () => {
    const samples = Int16Array.from(track.samples);
    const start = Math.round(((track.startsMs[3] ?? 0) / 1_000) * chirpRateHz);
    samples.fill(0, 2 * start, 2 * start + 2 * 0.03 * chirpRateHz);
    const { delaysMs, missed } = delaysOf(samples);
    assert.equal(missed, 1);
    assert.equal(delaysMs.length, track.startsMs.length - 1);
  });
});
