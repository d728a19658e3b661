import assert from 'node:assert/strict';
import { test } from 'node:test';
import { areaPath, linePath, niceMax, summary } from '../../../src/web/chart.ts';

const plot = { width: 600, height: 40, nowMs: 100_000, spanMs: 60_000, max: 100 } as const;
const at = (secondsAgo: number, value: number | undefined) => ({
  atMs: plot.nowMs - secondsAgo * 1_000,
  value,
});

test('time runs to the right edge, values up from the lower one', () => {
  assert.equal(linePath([at(2, 0), at(1, 50), at(0, 100)], plot), 'M580 40L590 20L600 0');
});

test('values beyond the scale stay within the plot', () => {
  assert.equal(linePath([at(1, -5), at(0, 500)], plot), 'M590 40L600 0');
});

test('what was not measured, and a pause, are gaps', () => {
  const points = [at(20, 50), at(19, 50), at(18, undefined), at(17, 50), at(16, 50), at(6, 50)];
  assert.equal(linePath(points, plot), 'M400 20L410 20M430 20L440 20M540 20L540 20');
  assert.equal(areaPath(points, plot).match(/M/g)?.length, 2);
});

test('points older than the span, or of a later time, are left out', () => {
  assert.equal(linePath([at(61, 50), at(60, 50), at(-1, 50)], plot), 'M0 20L0 20');
});

test('an area stands on the lower edge', () => {
  assert.equal(areaPath([at(1, 50), at(0, 50)], plot), 'M590 40L590 20L600 20L600 40Z');
});

test('no points, no path', () => {
  assert.equal(linePath([], plot), '');
  assert.equal(areaPath([], plot), '');
});

test('scales end at 1, 2 or 5 times a power of ten', () => {
  const cases = [
    [0, 100, 100],
    [100, 100, 100],
    [101, 100, 200],
    [230, 100, 500],
    [501, 100, 1_000],
    [0.3, 0.1, 0.5],
    [Number.NaN, 5, 5],
    [Number.POSITIVE_INFINITY, 5, 5],
  ] as const;
  for (const [largest, least, expected] of cases) {
    assert.equal(niceMax(largest, least), expected, `${largest}`);
  }
});

test('the summary passes over what was not measured', () => {
  assert.deepEqual(summary([at(3, 4), at(2, undefined), at(1, 8), at(0, 6)]), {
    lowest: 4,
    mean: 6,
    highest: 8,
  });
  assert.equal(summary([at(0, undefined)]), undefined);
});
