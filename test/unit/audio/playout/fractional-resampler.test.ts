import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FractionalResampler } from '../../../../src/audio/playout/fractional-resampler.ts';
import { fitSine } from '../../../fixtures/sine.ts';

const seconds = 1;

/** A tone through the resampler, in quanta, beside the tone at the places where the samples should be. */
function through(hz: number, sampleRate: number, ppmAt: (quantum: number) => number) {
  const resampler = new FractionalResampler({ sampleRate });
  const source = new Float32Array(48_000 * seconds + 1_000).map((_, i) =>
    Math.sin((2 * Math.PI * hz * i) / 48_000),
  );
  const frames = Math.floor(sampleRate * seconds * 0.98);
  const left = new Float32Array(frames);
  const right = new Float32Array(frames);
  const wanted = new Float32Array(frames);
  let at = 200;
  for (let from = 0; from + 128 <= frames; from += 128) {
    const ppm = ppmAt(from / 128);
    resampler.setPpm(ppm);
    const place = at + resampler.fraction;
    const step = (48_000 / sampleRate) * (1 + ppm / 1e6);
    for (let i = 0; i < 128; i += 1) {
      wanted[from + i] = Math.sin((2 * Math.PI * hz * (place + i * step)) / 48_000);
    }
    assert.ok(at + resampler.needs(128) <= source.length);
    at += resampler.process({ left: source, right: source }, at, left, right, from, 128);
  }
  assert.deepEqual(left, right);
  const used = frames - (frames % 128);
  let [signal, noise] = [0, 0];
  for (let i = 0; i < used; i += 1) {
    signal += (wanted[i] ?? 0) ** 2;
    noise += ((wanted[i] ?? 0) - (left[i] ?? 0)) ** 2;
  }
  return { snrDb: 10 * Math.log10(signal / Math.max(noise, 1e-15)), left: left.subarray(0, used) };
}

describe('the fractional resampler', () => {
  it('lets samples through as they are at 48 kHz without correction', () => {
    const { snrDb } = through(997, 48_000, () => 0);
    assert.ok(snrDb > 120, `${snrDb} dB`);
  });

  const rates: readonly (readonly [string, number, (quantum: number) => number])[] = [
    ['300 ppm', 48_000, () => 300],
    ['swept from −1,000 to 1,000 ppm', 48_000, (quantum) => (quantum * 2_000) / 367 - 1_000],
    ['jumping between −1,000 and 1,000 ppm', 48_000, (quantum) => (quantum % 2) * 2_000 - 1_000],
    ['44,100 Hz and 300 ppm', 44_100, () => 300],
    ['96,000 Hz and −300 ppm', 96_000, () => -300],
  ];
  for (const [name, sampleRate, ppmAt] of rates) {
    for (const [hz, leastDb] of [
      [100, 70],
      [997, 70],
      [10_000, 66],
    ] as const) {
      it(`puts ${hz} Hz where it should be: ${name}`, (t) => {
        const { snrDb } = through(hz, sampleRate, ppmAt);
        t.diagnostic(`${snrDb.toFixed(1)} dB`);
        assert.ok(snrDb > leastDb, `${snrDb} dB`);
      });
    }
  }

  it('keeps what a lower rate cannot carry out of it', () => {
    // 14 kHz would come out as 2 kHz.
    const { left } = through(14_000, 16_000, () => 0);
    const { amplitude } = fitSine(Float64Array.from(left), 16_000, 2_000);
    assert.ok(20 * Math.log10(amplitude) < -60, `${20 * Math.log10(amplitude)} dB`);
  });

  it('keeps the band', (t) => {
    for (const [hz, sampleRate, leastDb] of [
      [16_000, 48_000, -1],
      [15_000, 44_100, -1],
      [6_000, 16_000, -1],
    ] as const) {
      const { left } = through(hz, sampleRate, () => 200);
      let sum = 0;
      for (const sample of left) sum += sample ** 2;
      const db = 10 * Math.log10((2 * sum) / left.length);
      t.diagnostic(`${hz} Hz at ${sampleRate} Hz: ${db.toFixed(2)} dB`);
      assert.ok(db > leastDb && db < 0.1, `${db} dB`);
    }
  });
});
