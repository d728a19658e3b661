import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProbeSchedule } from '../../../../src/media/bandwidth/probe-schedule.ts';

const quiet = { queueMs: 0, decreasedMs: Number.NEGATIVE_INFINITY };

test('after success the next follows at once and is bold; after failure it is careful, and ever later up to 6 s', () => {
  const schedule = new ProbeSchedule();
  assert.equal(schedule.isDue({ nowMs: 0, ...quiet }), true);
  schedule.succeeded(0);
  assert.equal(schedule.isDue({ nowMs: 199, ...quiet }), false);
  assert.equal(schedule.isDue({ nowMs: 200, ...quiet }), true);
  const bold = schedule.factor;
  for (const waitMs of [1_500, 3_000, 6_000, 6_000]) {
    schedule.failed(0);
    assert.equal(schedule.isDue({ nowMs: waitMs - 1, ...quiet }), false);
    assert.equal(schedule.isDue({ nowMs: waitMs, ...quiet }), true);
  }
  assert.ok(schedule.factor < bold);
});

test('it waits for a short queue and for quiet', () => {
  const schedule = new ProbeSchedule();
  assert.equal(schedule.isDue({ nowMs: 5_000, queueMs: 60, decreasedMs: 0 }), false);
  assert.equal(schedule.isDue({ nowMs: 5_000, queueMs: 5, decreasedMs: 3_501 }), false);
  assert.equal(schedule.isDue({ nowMs: 5_000, queueMs: 5, decreasedMs: 3_500 }), true);
});
