import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Trendline } from '../../../../src/media/bandwidth/trendline.ts';

function after(deltaMs: (group: number) => number, groups: number): number {
  const line = new Trendline();
  for (let group = 0; group < groups; group += 1) line.add(deltaMs(group), group * 20);
  return line.trendMs;
}

test('a level queue has no trend', () => {
  assert.equal(
    after(() => 0, 100),
    0,
  );
});

test('a queue that grows by 1 ms each 20 ms ends at the slope times 60 groups times 4', () => {
  // 1/20 × 60 × 4, once the smoothing has caught up.
  assert.ok(Math.abs(after(() => 1, 200) - 12) < 0.01);
  assert.ok(Math.abs(after(() => -1, 200) + 12) < 0.01);
});

test('jitter alone makes a small trend', () => {
  const trend = after((group) => (group % 2 === 0 ? 15 : -15), 200);
  assert.ok(Math.abs(trend) < 1, `${trend}`);
});

test('clocks 300 ppm apart make next to none', () => {
  assert.ok(after(() => 0.006, 500) < 0.1);
});

test('nothing is said before 20 groups', () => {
  assert.equal(
    after(() => 10, 19),
    0,
  );
});
