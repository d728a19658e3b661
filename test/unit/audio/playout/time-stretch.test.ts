import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lengthen, shorten } from '../../../../src/audio/playout/time-stretch.ts';
import { seededRandom } from '../../../lab/chirp.ts';

const rateHz = 48_000;
const ways = { shorten, lengthen } as const;

/** `samples` of a tone in every channel, with room for what `lengthen` puts in. */
function tone(hz: number, samples: number, channels = 2): Float32Array {
  const pcm = new Float32Array((samples + 720) * channels);
  for (let i = 0; i < samples * channels; i += 1) {
    pcm[i] = 0.5 * Math.sin((2 * Math.PI * hz * Math.floor(i / channels)) / rateHz);
  }
  return pcm;
}

function largestStep(pcm: Float32Array, samples: number, channels: number): number {
  let largest = 0;
  for (let i = channels; i < samples * channels; i += 1) {
    largest = Math.max(largest, Math.abs((pcm[i] ?? 0) - (pcm[i - channels] ?? 0)));
  }
  return largest;
}

/** Power of what is no part of the tone, over the tone's, in dB: the rest of a least-squares fit. */
function impurityDb(pcm: Float32Array, samples: number, hz: number): number {
  const w = (2 * Math.PI * hz) / rateHz;
  let [ss, sc, cc, ys, yc, yy] = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < samples; i += 1) {
    const [s, c, y] = [Math.sin(w * i), Math.cos(w * i), pcm[2 * i] ?? 0];
    ss += s * s;
    sc += s * c;
    cc += c * c;
    ys += y * s;
    yc += y * c;
    yy += y * y;
  }
  const det = ss * cc - sc * sc;
  const fit = (ys * (ys * cc - yc * sc) + yc * (yc * ss - ys * sc)) / det;
  return 10 * Math.log10(Math.max(yy - fit, 1e-12) / fit);
}

describe('stretching time', () => {
  for (const [name, stretch] of Object.entries(ways)) {
    for (const hz of [100, 220, 440, 997, 3_000, 7_301]) {
      it(`can not be heard in a tone of ${hz} Hz (${name})`, () => {
        const pcm = tone(hz, 960);
        const before = largestStep(pcm, 960, 2);
        const samples = stretch(pcm, 960, 2);
        const by = Math.abs(samples - 960);
        assert.ok(by >= 120 && by <= 720, `${by} samples`);
        assert.ok(largestStep(pcm, samples, 2) <= before * 1.002);
        assert.ok(impurityDb(pcm, samples, hz) < -40, `${impurityDb(pcm, samples, hz)} dB`);
      });
    }

    it(`leaves the ends of the block as they were (${name})`, () => {
      const pcm = tone(440, 960);
      const original = pcm.slice();
      const samples = stretch(pcm, 960, 2);
      assert.deepEqual(pcm.slice(0, 60), original.slice(0, 60));
      assert.deepEqual(
        pcm.slice((samples - 30) * 2, samples * 2),
        original.slice(930 * 2, 960 * 2),
      );
    });

    it(`costs nothing in silence (${name})`, () => {
      const pcm = new Float32Array((960 + 720) * 2);
      assert.equal(Math.abs(stretch(pcm, 960, 2) - 960), 720);
      assert.ok(pcm.every((sample) => sample === 0));
    });

    it(`leaves noise alone, where any join is heard (${name})`, () => {
      const random = seededRandom(3);
      const pcm = tone(440, 960).map(() => random() - 0.5);
      const original = pcm.slice();
      assert.equal(stretch(pcm, 960, 2), 960);
      assert.deepEqual(pcm, original);
    });

    it(`does no more than asked (${name})`, () => {
      const pcm = tone(400, 960);
      const by = Math.abs(stretch(pcm, 960, 2, 5) - 960);
      assert.ok(by === 120 || by === 240, `${by}`);
      assert.equal(stretch(tone(400, 960), 960, 2, 2), 960);
    });

    it(`takes any number of channels (${name})`, () => {
      for (const channels of [1, 2, 6]) {
        const pcm = tone(500, 960, channels);
        const samples = stretch(pcm, 960, channels);
        assert.notEqual(samples, 960);
        assert.ok(
          largestStep(pcm, samples, channels) <= 0.5 * 2 * Math.PI * (500 / rateHz) * 1.002,
        );
      }
    });

    it(`leaves a block alone that is too short for it (${name})`, () => {
      assert.equal(stretch(tone(1_000, 120), 120, 2), 120);
    });

    it(`is not misled by channels in opposite phase (${name})`, () => {
      const pcm = tone(997, 960);
      for (let i = 1; i < pcm.length; i += 2) pcm[i] = -(pcm[i] ?? 0);
      const samples = stretch(pcm, 960, 2);
      assert.ok(impurityDb(pcm, samples, 997) < -40);
    });
  }

  it('puts in only what there is room for', () => {
    const pcm = tone(400, 960).subarray(0, (960 + 130) * 2);
    assert.equal(lengthen(pcm, 960, 2), 1_080);
    assert.equal(lengthen(tone(400, 960).subarray(0, 960 * 2), 960, 2), 960);
  });
});
