import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateWindow } from '../../../../src/media/bandwidth/rate-window.ts';

function fill(window: RateWindow, fromMs: number, untilMs: number, bytes: number): void {
  for (let atMs = fromMs; atMs < untilMs; atMs += 10) window.add(atMs, bytes);
}

test('nothing is known before 150 ms', () => {
  const window = new RateWindow();
  assert.equal(window.bps, undefined);
  fill(window, 0, 150, 1_250);
  assert.equal(window.bps, undefined);
  window.add(150, 1_250);
  assert.equal(window.bps, 1_000_000);
});

test('the rate is that of the last half second, and of the last 200 ms', () => {
  const window = new RateWindow();
  fill(window, 0, 1_000, 1_250);
  assert.equal(window.bps, 1_000_000);
  fill(window, 1_000, 1_200, 250);
  assert.equal(window.recentBps, 200_000);
  assert.equal(window.bps, 680_000);
});

test('a pause counts as nothing', () => {
  const window = new RateWindow();
  fill(window, 0, 1_000, 1_250);
  window.add(1_240, 1_250);
  assert.equal(window.bps, (26 + 1) * 1_250 * 16 - 1_250 * 16 + 0);
  window.add(60_000, 1_250);
  assert.equal(window.bps, 20_000);
});

test('what comes out of order is counted where it belongs, or not at all', () => {
  const window = new RateWindow();
  fill(window, 0, 1_000, 1_250);
  window.add(700, 1_250);
  assert.equal(window.bps, 1_020_000);
  window.add(400, 1_250);
  window.add(-5_000, 1_250);
  assert.equal(window.bps, 1_020_000);
});

test('a restart forgets', () => {
  const window = new RateWindow();
  fill(window, 0, 1_000, 1_250);
  window.restart();
  assert.equal(window.bps, undefined);
  fill(window, -2_000, -1_000, 125);
  assert.equal(window.bps, 100_000);
});
