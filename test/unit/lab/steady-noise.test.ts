import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRandom } from '../../lab/chirp.ts';
import { nearTo, noiseFaults } from '../../lab/steady-noise.ts';

const samplesPerMs = 48;

/** Two seconds of noise that `change` may alter: sample numbers of the first channel, amplitude 1. */
function recording(change: (mono: Float64Array) => void) {
  const random = seededRandom(9);
  const mono = Float64Array.from({ length: 2_000 * samplesPerMs }, () => 0.2 * (2 * random() - 1));
  change(mono);
  const samples = new Int16Array(2 * mono.length);
  mono.forEach((value, n) => {
    samples[2 * n] = samples[2 * n + 1] = Math.round(value * 32_767);
  });
  return { samples, channels: 2, startMs: 500 };
}

describe('faults of a noise', () => {
  it('finds none in a whole one', () => {
    assert.deepEqual(noiseFaults(recording(() => undefined)), { gaps: [], doubled: [] });
  });

  it('finds a gap where it is and as long as it is', () => {
    for (const ms of [6, 10, 20, 200]) {
      const { gaps, doubled } = noiseFaults(
        recording((mono) => mono.fill(0, 301 * samplesPerMs, (301 + ms) * samplesPerMs)),
      );
      assert.deepEqual(doubled, []);
      assert.equal(gaps.length, 1, `${ms} ms`);
      assert.ok(Math.abs((gaps[0]?.ms ?? 0) - ms) <= 2, `${gaps[0]?.ms} ms for ${ms}`);
      assert.ok(Math.abs((gaps[0]?.fromMs ?? 0) - 801) <= 2);
    }
  });

  it('finds where it sounds a second time, a little later', () => {
    const { gaps, doubled } = noiseFaults(
      recording((mono) => {
        const whole = mono.slice();
        for (let n = 400 * samplesPerMs; n < 500 * samplesPerMs; n += 1) {
          mono[n] = (mono[n] ?? 0) + (whole[n - 35 * samplesPerMs] ?? 0);
        }
      }),
    );
    assert.deepEqual(gaps, []);
    assert.ok(doubled.length > 0);
    const ms = doubled.reduce((sum, stretch) => sum + stretch.ms, 0);
    assert.ok(ms >= 80 && ms <= 110, `${ms} ms`);
  });

  it('does not take a change from one delay to another for either', () => {
    const { gaps, doubled } = noiseFaults(
      recording((mono) => mono.copyWithin(965 * samplesPerMs, 1_000 * samplesPerMs)),
    );
    assert.deepEqual({ gaps, doubled }, { gaps: [], doubled: [] });
  });
});

describe('stretches near to a moment', () => {
  it('are those that touch the time from 50 ms before it to 200 ms after it', () => {
    const stretches = [100, 945, 1_150, 1_205].map((fromMs) => ({ fromMs, ms: 10 }));
    assert.deepEqual(
      nearTo(stretches, [1_000]).map(({ fromMs }) => fromMs),
      [945, 1_150],
    );
    assert.deepEqual(nearTo(stretches, []), []);
  });
});
