import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PercentileWindow } from '../../../../src/audio/playout/percentile-window.ts';

const options = { spanMs: 1_000, binWidth: 1, bins: 200, capacity: 100 };

describe('a percentile window', () => {
  it('is 0 while empty', () => {
    const window = new PercentileWindow(options);
    assert.deepEqual([window.mean, window.percentile(0.95), window.count], [0, 0, 0]);
  });

  it('gives mean and percentiles of what it holds', () => {
    const window = new PercentileWindow(options);
    for (let value = 1; value <= 100; value += 1) window.add(value, value);
    assert.equal(window.mean, 50.5);
    assert.equal(window.percentile(0.95), 95);
    assert.equal(window.percentile(1), 100);
  });

  it('forgets what is older than its span', () => {
    const window = new PercentileWindow(options);
    window.add(0, 90);
    window.add(900, 10);
    window.add(1_001, 20);
    assert.equal(window.count, 2);
    assert.equal(window.percentile(1), 20);
    window.expire(5_000);
    assert.deepEqual([window.count, window.mean, window.percentile(0.5)], [0, 0, 0]);
  });

  it('holds no more than its capacity, the newest', () => {
    const window = new PercentileWindow(options);
    for (let i = 0; i < 250; i += 1) window.add(1, i < 150 ? 100 : 5);
    assert.deepEqual([window.count, window.percentile(1)], [100, 5]);
  });

  it('counts what lies beyond its bins as the most it knows', () => {
    const window = new PercentileWindow(options);
    window.add(0, 5_000);
    assert.equal(window.percentile(1), 200);
  });

  it('empties', () => {
    const window = new PercentileWindow(options);
    window.add(0, 5);
    window.clear();
    assert.deepEqual([window.count, window.mean, window.percentile(1)], [0, 0, 0]);
  });
});
