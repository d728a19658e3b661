import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventLatencyMs, LatencyRecord } from '../../../../src/control/hid/latency-record.ts';

describe('LatencyRecord', () => {
  it('has percentiles of the last 512', () => {
    const record = new LatencyRecord();
    assert.equal(record.summary(), null);
    for (let ms = 1; ms <= 100; ms += 1) record.add(ms);
    assert.deepEqual(record.summary(), { p50: 50, p95: 95, max: 100 });
    for (let each = 0; each < 512; each += 1) record.add(7.04);
    assert.deepEqual(record.summary(), { p50: 7, p95: 7, max: 7 });
  });

  it('counts all since the start, each bucket with those below', () => {
    const record = new LatencyRecord();
    for (const ms of [0.5, 1, 1.5, -3, 9, 70_000, Number.NaN]) record.add(ms);
    const { boundsSeconds, counts, count, sumSeconds } = record.histogram();
    assert.equal(count, 6);
    assert.equal(counts.length, boundsSeconds.length);
    assert.deepEqual(counts.slice(0, 3), [3, 4, 4]);
    assert.equal(counts.at(-1), 5);
    assert.ok(Math.abs(sumSeconds - 70.012) < 1e-9);
  });
});

describe('eventLatencyMs', () => {
  const latency = (nowMs: number, offsetMs = 10) =>
    eventLatencyMs({ nowMs, timestampMs: 1_000, offsetMs });

  it('is the time since the event on one clock', () => {
    assert.equal(latency(1_025), 15);
    assert.equal(latency(1_005), -5);
    assert.equal(latency(61_010), 60_000);
  });

  it('is unknown where clocks disagree', () => {
    assert.ok(Number.isNaN(latency(1_004.9)));
    assert.ok(Number.isNaN(latency(61_010.1)));
    assert.ok(Number.isNaN(latency(1_025, Number.NaN)));
  });
});
