import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Interruption, ToneWatch, watchedToneHz } from '../../lab/tone-watch.ts';

const rateHz = 48_000;

/** A stereo tone of which `at(n)` says from which moment of it the nth sample is, and how loud. */
function tone(seconds: number, at: (n: number) => { position: number; gain?: number }): Int16Array {
  const samples = new Int16Array(seconds * rateHz * 2);
  for (let n = 0; n < seconds * rateHz; n += 1) {
    const { position, gain = 1 } = at(n);
    const value = 8_000 * gain * Math.sin((2 * Math.PI * watchedToneHz * position) / rateHz);
    samples[2 * n] = samples[2 * n + 1] = Math.round(value);
  }
  return samples;
}

function watch(samples: Int16Array, piece = 480): readonly Interruption[] {
  const watched = new ToneWatch();
  for (let n = 0; n < samples.length; n += piece * 2) {
    watched.push(samples.subarray(n, n + piece * 2), 2);
  }
  watched.finish();
  assert.equal(watched.count, watched.found.length);
  return watched.found;
}

describe('watching a tone', () => {
  it('finds nothing in one that goes on, in pieces of any length', () => {
    const steady = tone(3, (n) => ({ position: n }));
    assert.deepEqual(watch(steady), []);
    assert.deepEqual(watch(steady, 37), []);
  });

  it('finds nothing in a clock that drifts by 500 ppm', () => {
    assert.deepEqual(watch(tone(3, (n) => ({ position: n * 1.000_5 }))), []);
  });

  for (const lostMs of [2.5, 5, 10, 20, 40]) {
    it(`finds ${lostMs} ms that are missing`, () => {
      const found = watch(tone(3, (n) => ({ position: n < 96_000 ? n : n + lostMs * 48 })));
      assert.equal(found.length, 1);
      const [first] = found;
      assert.ok(first !== undefined && first.fromMs > 1_970 && first.toMs < 2_040);
      assert.ok(first.degrees > 10, `${first.degrees}`);
    });
  }

  it('finds a gap of 10 ms that changes no phase', () => {
    const found = watch(tone(3, (n) => ({ position: n, gain: n >= 96_000 && n < 96_480 ? 0 : 1 })));
    assert.equal(found.length, 1);
    assert.ok((found[0]?.level ?? 1) < 0.5);
  });

  it('takes a change to the opposite phase for no gap', () => {
    const half = rateHz / watchedToneHz / 2;
    const found = watch(tone(3, (n) => ({ position: n < 96_000 ? n : n + half })));
    assert.equal(found.length, 1);
    assert.ok((found[0]?.degrees ?? 0) > 90);
    assert.ok((found[0]?.level ?? 0) > 0.9);
  });

  it('counts interruptions close together as one, and tells those apart that are not', () => {
    const gaps = (n: number) => [96_000, 97_000, 120_000].some((at) => n >= at && n < at + 480);
    assert.equal(watch(tone(3, (n) => ({ position: n, gain: gaps(n) ? 0 : 1 }))).length, 2);
  });

  it('takes no notice of the removal of whole periods', () => {
    const period = rateHz / watchedToneHz;
    const found = watch(tone(3, (n) => ({ position: n < 96_000 ? n : n + 5 * period })));
    assert.deepEqual(found, []);
  });

  it('ends an interruption that lasts to the end', () => {
    const found = watch(tone(3, (n) => ({ position: n, gain: n < 96_000 ? 1 : 0 })));
    assert.equal(found.length, 1);
    assert.ok((found[0]?.toMs ?? 0) > 2_980);
  });
});
