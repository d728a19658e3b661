import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { demoMusic, musicRateHz, prelude } from '../../../scripts/demo-music.ts';

const music = demoMusic();

/** Root mean square of the left channel between two times, of full scale. */
function rms(fromS: number, toS: number): number {
  let sum = 0;
  const from = Math.round(fromS * musicRateHz);
  const to = Math.round(toS * musicRateHz);
  for (let n = from; n < to; n += 1) sum += ((music[2 * n] ?? 0) / 32_768) ** 2;
  return Math.sqrt(sum / (to - from));
}

/** How strongly `frequencyHz` sounds in the left channel from `fromS` for half a second (Goertzel's sum, directly). */
function strength(frequencyHz: number, fromS: number): number {
  let re = 0;
  let im = 0;
  const from = Math.round(fromS * musicRateHz);
  for (let n = 0; n < musicRateHz / 2; n += 1) {
    const phase = (2 * Math.PI * frequencyHz * n) / musicRateHz;
    re += (music[2 * (from + n)] ?? 0) * Math.cos(phase);
    im += (music[2 * (from + n)] ?? 0) * Math.sin(phase);
  }
  return Math.hypot(re, im);
}

describe('the demo music', () => {
  const seconds = music.length / 2 / musicRateHz;

  it('is a whole piece: 35 bars, between 60 and 90 seconds', () => {
    const { notes, sixteenths } = prelude();
    assert.equal(sixteenths, 35 * 16);
    assert.equal(notes.length, 34 * 16 + 5);
    assert.ok(seconds >= 60 && seconds <= 90, `${seconds} s`);
  });

  it('stays within the compass of the score', () => {
    const pitches = prelude().notes.map(({ pitch }) => pitch);
    assert.equal(Math.min(...pitches), 36);
    assert.equal(Math.max(...pitches), 81);
  });

  it('peaks at −6 dBFS and clips nowhere', () => {
    const peak = music.reduce((max, sample) => Math.max(max, Math.abs(sample)), 0);
    assert.equal(peak, Math.round(32_768 * 10 ** (-6 / 20)));
  });

  it('sounds all the way through, in both channels alike', () => {
    for (let s = 0; s + 1 <= seconds; s += 1) {
      const level = rms(s, s + 1);
      assert.ok(level > 0.003 && level < 0.3, `${level} at ${s} s`);
    }
    const power = [0, 0];
    music.forEach((sample, n) => {
      power[n % 2] = (power[n % 2] ?? 0) + sample ** 2;
    });
    const balance = (power[0] ?? 0) / (power[1] ?? 1);
    assert.ok(balance > 0.4 && balance < 2.5, `${balance}`);
  });

  it('is in tune: the first bar sounds C4 and E4, not the notes beside them', () => {
    const c4 = 261.626;
    for (const note of [c4, 329.628]) {
      for (const beside of [note * 2 ** (-1 / 24), note * 2 ** (1 / 24)]) {
        assert.ok(strength(note, 0.4) > 2 * strength(beside, 0.4), `${note} beside ${beside}`);
      }
    }
  });

  it('has no step where the end meets the beginning', () => {
    let steepest = 0;
    for (let n = 2; n < music.length; n += 2) {
      steepest = Math.max(steepest, Math.abs((music[n] ?? 0) - (music[n - 2] ?? 0)));
    }
    const seam = Math.abs((music[0] ?? 0) - (music[music.length - 2] ?? 0));
    assert.ok(seam < steepest / 4, `${seam} of ${steepest}`);
  });

  it('is the same at every call', () => {
    assert.deepEqual(demoMusic(), music);
  });
});
