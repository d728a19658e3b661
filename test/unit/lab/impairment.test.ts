import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Impairment, type ImpairmentSettings } from '../../lab/impairment.ts';

const packets = 20_000;

/** The fates of packets that come every 10 ms: when each is delivered after it came. */
function fates(settings: Partial<ImpairmentSettings>, seed = 1): (readonly number[])[] {
  const impairment = new Impairment({ seed, settings });
  return Array.from({ length: packets }, (_, index) =>
    impairment.deliveries(index * 10).map((ms) => ms - index * 10),
  );
}

function share(all: readonly unknown[], some: readonly unknown[]): number {
  return some.length / all.length;
}

function assertNear(actual: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not about ${expected}`);
}

function quantile(values: readonly number[], q: number): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length * q)] ?? 0;
}

describe('Impairment', () => {
  test('delivers everything once and at once when there is none', () => {
    for (const times of fates({})) assert.deepEqual(times, [0]);
  });

  test('the same seed gives the same run, another seed another', () => {
    const settings = { lossRate: 0.1, jitterMs: 50, reorderRate: 0.1, duplicateRate: 0.1 };
    assert.deepEqual(fates(settings, 5), fates(settings, 5));
    assert.notDeepEqual(fates(settings, 5), fates(settings, 6));
  });

  test('what one setting does, does not depend on the others', () => {
    const lost = (settings: Partial<ImpairmentSettings>) =>
      fates(settings).map((times) => times.length === 0);
    const alone = lost({ lossRate: 0.05 });
    assert.deepEqual(lost({ lossRate: 0.05, jitterMs: 20, duplicateRate: 0.5 }), alone);
  });

  test('loses the share it is told to, packet by packet or in runs', () => {
    const runs = (lossBurst: number) => {
      const all = fates({ lossRate: 0.05, lossBurst });
      const lost = all.filter((times) => times.length === 0);
      assertNear(share(all, lost), 0.05, 0.01);
      const begins = all.filter(
        (times, index) => times.length === 0 && all[index - 1]?.length !== 0,
      );
      return lost.length / begins.length;
    };
    assertNear(runs(1), 1.05, 0.05);
    assertNear(runs(4), 4, 0.6);
    assert.ok(fates({ lossRate: 1 }).every((times) => times.length === 0));
  });

  test('uniform jitter spreads evenly over its whole range', () => {
    const times = fates({ delayMs: 30, jitterMs: 60, keepsOrder: false }).flat();
    assertNear(quantile(times, 0), 30, 0.1);
    assertNear(quantile(times, 0.5), 60, 2);
    assertNear(quantile(times, 0.999), 90, 0.5);
  });

  test('heavy-tailed jitter is small mostly, exceeds its figure once in twenty, and has an end', () => {
    const times = fates({
      jitterMs: 60,
      jitterShape: 'heavy-tailed',
      keepsOrder: false,
    }).flat();
    assert.ok(quantile(times, 0.5) < 10);
    assertNear(quantile(times, 0.95), 60, 6);
    assert.ok(quantile(times, 0.999) > 300);
    assert.ok(quantile(times, 1 - 1 / packets) <= 600);
  });

  test('keeps the order under jitter, but for what it is told to hold back', () => {
    const overtaken = (settings: Partial<ImpairmentSettings>) => {
      const at = fates(settings).map(([ms = 0], index) => ms + index * 10);
      return at.filter((ms, index) => ms > (at[index + 1] ?? Number.POSITIVE_INFINITY));
    };
    assert.equal(overtaken({ jitterMs: 60 }).length, 0);
    assert.ok(overtaken({ jitterMs: 60, keepsOrder: false }).length > packets / 4);
    const held = overtaken({ reorderRate: 0.1, reorderMs: 35 });
    assertNear(held.length / packets, 0.1 * 0.9, 0.01);
  });

  test('repeats the share it is told to', () => {
    const all = fates({ duplicateRate: 0.02, delayMs: 5 });
    const twice = all.filter((times) => times.length === 2);
    assertNear(share(all, twice), 0.02, 0.005);
    assert.deepEqual(twice[0], [5, 5]);
  });

  test('is changed under way, cut off for a while, and counts', () => {
    const impairment = new Impairment({ seed: 3 });
    assert.deepEqual(impairment.deliveries(0), [0]);
    impairment.set({ delayMs: 100 });
    impairment.set({ duplicateRate: 1 });
    assert.deepEqual(impairment.deliveries(10), [110, 110]);
    impairment.cutUntil(50);
    assert.deepEqual(impairment.deliveries(49), []);
    impairment.set({ duplicateRate: 0, reorderRate: 1, reorderMs: 5 });
    assert.deepEqual(impairment.deliveries(50), [155]);
    impairment.set({ lossRate: 1 });
    assert.deepEqual(impairment.deliveries(60), []);
    assert.deepEqual(impairment.counts, {
      offered: 5,
      lost: 1,
      cutOff: 1,
      duplicated: 1,
      reordered: 1,
    });
  });

  test('a value that makes no sense is refused by name, and changes nothing', () => {
    const impairment = new Impairment({ seed: 1 });
    for (const [settings, message] of [
      [{ lossRate: 1.1 }, /lossRate is 1.1; it must be from 0 to 1/],
      [{ duplicateRate: Number.NaN }, /duplicateRate is NaN/],
      [{ delayMs: -1 }, /delayMs is -1/],
      [{ lossBurst: 0 }, /lossBurst is 0/],
    ] as const) {
      assert.throws(() => impairment.set(settings), message);
    }
    assert.deepEqual(impairment.deliveries(7), [7]);
  });
});
