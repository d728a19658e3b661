import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VideoRate } from '../../../../src/media/bandwidth/video-rate.ts';

test('REFERENCE 1b: 65 % of the target, clamped to 500–1800 kbps', () => {
  for (const [targetBps, kbps] of [
    [1_000_000, 650],
    [2_000_000, 1_300],
    [100_000, 500],
    [0, 500],
    [10_000_000, 1_800],
  ] as const) {
    const rate = new VideoRate();
    rate.update([targetBps], 0);
    assert.equal(rate.kbps, kbps);
  }
});

test('REFERENCE 1b: 1800 kbps with no estimator', () => {
  const rate = new VideoRate();
  assert.equal(rate.kbps, 1_800);
  assert.equal(rate.update([], 0), undefined);
  assert.equal(rate.update([undefined, undefined], 1_000), undefined);
  assert.equal(rate.kbps, 1_800);
});

test('the viewer with the least decides; one without an estimate does not', () => {
  const rate = new VideoRate();
  assert.equal(rate.update([3_000_000, 1_000_000, undefined, 2_000_000], 0), 650);
  assert.equal(rate.update([3_000_000, undefined], 1_000), 1_800);
});

test('it changes at most five times a second', () => {
  const rate = new VideoRate();
  let changes = 0;
  for (let atMs = 0; atMs < 10_000; atMs += 10) {
    if (rate.update([1_000_000 + (atMs % 700) * 1_000], atMs) !== undefined) changes += 1;
  }
  assert.ok(changes > 0 && changes <= 50, `${changes}`);
});

test('it does not change for less than 3 %, except to reach an end of its range', () => {
  const rate = new VideoRate();
  assert.equal(rate.update([1_000_000], 0), 650);
  assert.equal(rate.update([1_025_000], 1_000), undefined);
  assert.equal(rate.update([975_000], 2_000), undefined);
  assert.equal(rate.update([1_040_000], 3_000), 676);
  assert.equal(rate.update([2_740_000], 4_000), 1_781);
  assert.equal(rate.update([2_770_000], 5_000), 1_800);
});

test('the range is the configuration’s, and has to be one', () => {
  const rate = new VideoRate({ minKbps: 100, maxKbps: 4_000 });
  assert.equal(rate.kbps, 4_000);
  assert.equal(rate.update([100_000], 0), 100);
  for (const range of [
    { minKbps: 0 },
    { minKbps: 900, maxKbps: 800 },
    { minKbps: Number.NaN },
    { maxKbps: Number.NaN },
  ]) {
    assert.throws(() => new VideoRate(range), RangeError);
  }
});

test('what is no number is as if it were not there', () => {
  const rate = new VideoRate();
  assert.equal(rate.update([Number.NaN], 0), undefined);
  assert.equal(rate.kbps, 1_800);
});
