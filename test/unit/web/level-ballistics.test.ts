import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  advanceLevel,
  dbfsOf,
  floorDbfs,
  silentChannel,
} from '../../../src/web/level-ballistics.ts';

const silence = (elapsedMs: number) => ({ amplitude: 0, elapsedMs });

test('amplitudes read in dBFS within the scale', () => {
  assert.equal(dbfsOf(1), 0);
  assert.equal(dbfsOf(1.3), 0);
  assert.ok(Math.abs(dbfsOf(0.5) + 6.02) < 0.01);
  assert.equal(dbfsOf(1e-6), floorDbfs);
  assert.equal(dbfsOf(0), floorDbfs);
  assert.equal(dbfsOf(Number.NaN), floorDbfs);
});

test('a rise shows at once, in the bar and in the mark', () => {
  const loud = advanceLevel(silentChannel, { amplitude: 1, elapsedMs: 16 });
  assert.deepEqual(loud, { barDbfs: 0, peakDbfs: 0, heldMs: 0 });
});

test('the bar falls at 40 dB/s and ends at the floor', () => {
  const loud = advanceLevel(silentChannel, { amplitude: 1, elapsedMs: 16 });
  assert.equal(advanceLevel(loud, silence(500)).barDbfs, -20);
  assert.equal(advanceLevel(loud, silence(60_000)).barDbfs, floorDbfs);
});

test('the mark is held for 1.5 s, then falls at 20 dB/s, however the time is cut up', () => {
  let level = advanceLevel(silentChannel, { amplitude: 1, elapsedMs: 16 });
  for (let elapsed = 0; elapsed < 1_500; elapsed += 50) level = advanceLevel(level, silence(50));
  assert.equal(level.peakDbfs, 0);
  for (let elapsed = 0; elapsed < 1_000; elapsed += 50) level = advanceLevel(level, silence(50));
  assert.ok(Math.abs(level.peakDbfs + 20) < 1e-9);
  assert.equal(advanceLevel(level, silence(60_000)).peakDbfs, floorDbfs);
});

test('a louder peak is held anew', () => {
  const quiet = advanceLevel(silentChannel, { amplitude: 0.1, elapsedMs: 16 });
  const waited = advanceLevel(quiet, silence(1_000));
  const louder = advanceLevel(waited, { amplitude: 0.5, elapsedMs: 16 });
  assert.equal(louder.heldMs, 0);
  assert.ok(louder.peakDbfs > waited.peakDbfs);
});
