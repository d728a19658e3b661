import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OveruseDetector } from '../../../../src/media/bandwidth/overuse-detector.ts';

test('a trend beyond the threshold is overuse once it lasted 10 ms, more than one group, and does not fall', () => {
  const detector = new OveruseDetector();
  assert.equal(detector.update(0, 20, 0), 'normal');
  assert.equal(detector.update(20, 20, 20), 'normal');
  assert.equal(detector.update(21, 20, 40), 'overuse');
});

test('one peak is not overuse', () => {
  const detector = new OveruseDetector();
  detector.update(0, 20, 0);
  detector.update(100, 20, 20);
  assert.equal(detector.update(2, 20, 40), 'normal');
});

test('a trend that falls already is not overuse', () => {
  const detector = new OveruseDetector();
  detector.update(30, 20, 0);
  assert.equal(detector.update(25, 20, 20), 'normal');
  assert.equal(detector.update(20, 20, 40), 'normal');
});

test('a queue that empties is underuse', () => {
  const detector = new OveruseDetector();
  assert.equal(detector.update(-20, 20, 0), 'underuse');
});

test('the threshold follows a trend that stays, and falls back to 6 ms', () => {
  const detector = new OveruseDetector();
  for (let atMs = 0; atMs < 4_000; atMs += 20) detector.update(20, 20, atMs);
  assert.ok(detector.thresholdMs > 19);
  for (let atMs = 4_000; atMs < 14_000; atMs += 20) detector.update(0, 20, atMs);
  assert.equal(detector.thresholdMs, 6);
});

test('the threshold does not follow a peak', () => {
  const detector = new OveruseDetector();
  detector.update(0, 20, 0);
  const before = detector.thresholdMs;
  detector.update(500, 20, 20);
  assert.equal(detector.thresholdMs, before);
});
