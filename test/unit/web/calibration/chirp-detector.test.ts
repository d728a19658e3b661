import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ChirpDetector } from '../../../../src/web/calibration/chirp-detector.ts';

const defaultRate = 48_000;

interface Tone {
  readonly atMs: number;
  readonly hz?: number;
  readonly durationMs?: number;
  readonly amplitude?: number;
}

/** Tones with 5 ms fades in `durationMs` of sound, over whatever `background` gives. */
function soundOf(
  tones: readonly Tone[],
  {
    durationMs = 1_000,
    sampleRate = defaultRate,
    background = () => 0,
  }: {
    readonly durationMs?: number;
    readonly sampleRate?: number;
    readonly background?: (n: number) => number;
  } = {},
): Float32Array {
  const perMs = sampleRate / 1_000;
  return Float32Array.from({ length: durationMs * perMs }, (_, n) => {
    let sample = background(n);
    for (const { atMs, hz = 1_800, durationMs = 60, amplitude = 22_000 / 32_768 } of tones) {
      const ms = n / perMs - atMs;
      if (ms < 0 || ms > durationMs) continue;
      const fade = Math.min(1, ms / 5, (durationMs - ms) / 5);
      sample += amplitude * fade * Math.sin((2 * Math.PI * hz * n) / sampleRate);
    }
    return sample;
  });
}

/** When chirps began, in ms, heard in the audio thread's blocks. */
function heardIn(samples: Float32Array, sampleRate = defaultRate, right = samples): number[] {
  const heard: number[] = [];
  const detector = new ChirpDetector({
    sampleRate,
    onChirp: (frame) => heard.push((frame / sampleRate) * 1_000),
  });
  for (let at = 0; at < samples.length; at += 128) {
    detector.process(samples.subarray(at, at + 128), right.subarray(at, at + 128));
  }
  return heard;
}

function near(heard: readonly number[], expected: readonly number[], withinMs: number): void {
  const text = `${heard.join(', ')} for ${expected.join(', ')}`;
  assert.equal(heard.length, expected.length, text);
  for (const [index, atMs] of expected.entries()) {
    assert.ok(Math.abs((heard[index] ?? Number.NaN) - atMs) <= withinMs, text);
  }
}

/** Noise that is the same at each run (Park–Miller). */
function noise(amplitude: number): () => number {
  let seed = 1;
  return () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return amplitude * ((2 * seed) / 2_147_483_647 - 1);
  };
}

describe('REFERENCE 1b: calibration: the chirp', () => {
  test('REFERENCE 1b: a chirp of 60 ms with 5 ms fades is found where it begins, within 1 ms', () => {
    const atMs = [100, 433.3, 766.7];
    near(heardIn(soundOf(atMs.map((at) => ({ atMs: at })))), atMs, 1);
    // Two pictures of 15 a second are longer.
    near(heardIn(soundOf([{ atMs: 200, durationMs: 133 }])), [200], 1);
  });

  test('another rate of the sound card changes nothing', () => {
    for (const sampleRate of [44_100, 96_000]) {
      near(heardIn(soundOf([{ atMs: 250 }], { sampleRate }), sampleRate), [250], 1);
    }
  });

  test('REFERENCE 1b: quieter than 0.10 rms is no chirp, as loud is one', () => {
    const rms = (value: number) => ({ amplitude: value * Math.SQRT2 });
    near(heardIn(soundOf([{ atMs: 200, ...rms(0.09) }])), [], 1);
    near(heardIn(soundOf([{ atMs: 200, ...rms(0.12) }])), [200], 2);
  });

  test('REFERENCE 1b: less than 0.35 of 1800 Hz in it is no chirp: other tones, noise, speech of the host', () => {
    const others = [440, 1_000, 1_500, 2_200, 3_600].map((hz, n) => ({ atMs: 50 + n * 180, hz }));
    near(heardIn(soundOf(others)), [], 1);
    near(heardIn(soundOf([], { background: noise(0.9) })), [], 1);
  });

  test('a chirp is found in the host’s own sound', () => {
    const background = (n: number) => 0.2 * Math.sin((2 * Math.PI * 440 * n) / defaultRate);
    near(heardIn(soundOf([{ atMs: 300 }], { background })), [300], 2);
    near(heardIn(soundOf([{ atMs: 300 }], { background: noise(0.3) })), [300], 2);
  });

  test('REFERENCE 1b: within 300 ms there is one chirp, after that another', () => {
    near(heardIn(soundOf([{ atMs: 100 }, { atMs: 300 }, { atMs: 450 }])), [100, 450], 1);
    near(heardIn(soundOf([{ atMs: 100, durationMs: 250 }])), [100], 1);
  });

  test('what only one channel has is found by half, and silence is nothing', () => {
    const samples = soundOf([{ atMs: 300 }]);
    near(heardIn(samples, defaultRate, new Float32Array(samples.length)), [300], 1);
    near(heardIn(new Float32Array(48_000)), [], 1);
  });
});
