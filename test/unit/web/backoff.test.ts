import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoff, reconnectBackoff } from '../../../src/web/backoff.ts';

function first(count: number, random: () => number): number[] {
  const delays = backoff({ ...reconnectBackoff, random });
  return Array.from({ length: count }, () => delays.next().value);
}

test('delays double from half a second to ten and stay there', () => {
  assert.deepEqual(
    first(8, () => 0),
    [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000],
  );
});

test('jitter only shortens a delay, by a quarter at most', () => {
  assert.deepEqual(
    first(6, () => 0.999_999),
    [375, 750, 1_500, 3_000, 6_000, 7_500],
  );
});

test('the first delay obeys the largest too', () => {
  const [delay] = backoff({ firstMs: 900, maxMs: 100, jitter: 0, random: () => 0.5 });
  assert.equal(delay, 100);
});
