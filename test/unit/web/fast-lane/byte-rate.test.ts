import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteRate } from '../../../../src/web/fast-lane/byte-rate.ts';

test('a steady stream has its bitrate', () => {
  const rate = new ByteRate();
  assert.equal(rate.kbps(0), 0);
  let kbps = 0;
  for (let nowMs = 250; nowMs <= 5_000; nowMs += 250) {
    rate.add(4_000);
    kbps = rate.kbps(nowMs);
  }
  assert.equal(kbps, 128);
});

test('a stream that ended has none a second later', () => {
  const rate = new ByteRate();
  rate.kbps(0);
  rate.add(100_000);
  assert.equal(rate.kbps(500), 1_600);
  rate.kbps(1_000);
  assert.equal(rate.kbps(1_600), 0);
});
