import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MarkerMatcher } from '../../../../src/web/calibration/marker-matcher.ts';

describe('REFERENCE 1b: calibration: matching', () => {
  test('REFERENCE 1b: the offset is flash less chirp, positive when the picture is late', () => {
    const matcher = new MarkerMatcher();
    matcher.marker(7, 1_000);
    assert.deepEqual(matcher.chirp(1_100), []);
    assert.deepEqual(matcher.flash(1_142), [{ marker: 7, offsetMs: 42, atMs: 1_142 }]);
    matcher.marker(8, 2_000);
    matcher.flash(2_100);
    assert.deepEqual(matcher.chirp(2_160), [{ marker: 8, offsetMs: -60, atMs: 2_160 }]);
  });

  test('REFERENCE 1b: they are matched within ±120 ms, and what is not is counted', () => {
    const matcher = new MarkerMatcher();
    matcher.marker(1, 0);
    matcher.chirp(100);
    assert.deepEqual(matcher.flash(220), [{ marker: 1, offsetMs: 120, atMs: 220 }]);
    matcher.marker(2, 1_000);
    matcher.chirp(1_100);
    assert.deepEqual(matcher.flash(1_221), []);
    matcher.expire(1_700);
    assert.deepEqual(matcher.counts, { paired: 1, loneFlashes: 0, loneChirps: 0 });
    matcher.expire(1_900);
    assert.deepEqual(matcher.counts, { paired: 1, loneFlashes: 1, loneChirps: 1 });
  });

  test('the nearest chirp is taken', () => {
    const matcher = new MarkerMatcher();
    matcher.marker(1, 0);
    matcher.chirp(10);
    matcher.chirp(90);
    assert.equal(matcher.flash(100)[0]?.offsetMs, 10);
  });

  test('a marker that was missed does not shift those after it', () => {
    const matcher = new MarkerMatcher();
    matcher.marker(1, 0);
    matcher.marker(2, 1_000);
    matcher.chirp(1_150);
    assert.equal(matcher.flash(1_160)[0]?.marker, 2);
    matcher.marker(3, 2_000);
    matcher.chirp(2_150);
    assert.equal(matcher.flash(2_160)[0]?.marker, 3);
  });

  test('the device’s word may come after the marker itself', () => {
    const matcher = new MarkerMatcher();
    matcher.chirp(100);
    assert.deepEqual(matcher.flash(110), []);
    assert.deepEqual(matcher.marker(1, 300), [{ marker: 1, offsetMs: 10, atMs: 110 }]);
    // Much later it is another one's.
    matcher.chirp(1_000);
    matcher.flash(1_000);
    assert.deepEqual(matcher.marker(2, 1_501), []);
  });

  test('without a marker nothing is reported, however many flash and chirp', () => {
    const matcher = new MarkerMatcher();
    for (let atMs = 0; atMs < 50_000; atMs += 500) {
      matcher.chirp(atMs);
      assert.deepEqual(matcher.flash(atMs), []);
      matcher.expire(atMs);
    }
    assert.equal(matcher.counts.paired, 100);
  });
});
