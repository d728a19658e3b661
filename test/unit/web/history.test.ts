import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Measurement, remember } from '../../../src/web/history.ts';

const measurement = (atMs: number): Measurement => ({
  atMs,
  delay: undefined,
  lane: 'track',
  jitterBufferMs: 40,
  lossPercent: 0,
  concealedPercent: 0,
  bitrateKbps: 64,
  playoutMs: 10,
  roundTripMs: 1,
});

test('a minute is kept, newest last', () => {
  let history: readonly Measurement[] = [];
  for (let second = 0; second <= 90; second += 1) {
    history = remember(history, measurement(second * 1_000));
  }
  assert.equal(history.length, 61);
  assert.equal(history[0]?.atMs, 30_000);
  assert.equal(history.at(-1)?.atMs, 90_000);
});

test('measurements that come too fast do not pile up', () => {
  let history: readonly Measurement[] = [];
  for (let index = 0; index < 1_000; index += 1) history = remember(history, measurement(index));
  assert.equal(history.length, 120);
  assert.equal(history.at(-1)?.atMs, 999);
});
