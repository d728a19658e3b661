import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ArrivalClock } from '../../../../src/media/bandwidth/arrival-clock.ts';

test('the reference time goes on over the wraps of its 24 bits', () => {
  const clock = new ArrivalClock();
  const first = clock.read(0x7ffffe, 0);
  assert.equal(clock.restarted, true);
  assert.equal((clock.read(0x7fffff, 64) ?? 0) - (first ?? 0), 64);
  // Read as a signed number, as RtcpEvent has it, it goes on below zero.
  assert.equal((clock.read(-0x800000, 128) ?? 0) - (first ?? 0), 128);
  assert.equal((clock.read(-1, 128 + 0x7fffff * 64) ?? 0) - (first ?? 0), 128 + 0x7fffff * 64);
  assert.equal((clock.read(0, 192 + 0x7fffff * 64) ?? 0) - (first ?? 0), 192 + 0x7fffff * 64);
  assert.equal(clock.restarted, false);
});

test('feedback may overtake feedback by a second', () => {
  const clock = new ArrivalClock();
  const late = clock.read(1_000, 0) ?? 0;
  assert.equal(clock.read(990, 10), late - 640);
  assert.equal(clock.read(1_000 - 16, 20), undefined);
  assert.equal(clock.read(1_001, 30), late + 64);
});

test('a clock that runs away is refused', () => {
  const clock = new ArrivalClock();
  clock.read(0, 0);
  // 6.4 s in one second; 5.8 s may be a second and five that were held up.
  assert.equal(clock.read(100, 1_000), undefined);
  assert.equal(clock.read(90, 1_000), 5_760);
});

test('a clock refused sixteen times in a row is the viewer’s new clock', () => {
  const clock = new ArrivalClock();
  clock.read(0, 0);
  for (let count = 1; count < 16; count += 1) {
    assert.equal(clock.read(100_000 + count, count * 64), undefined);
  }
  assert.equal(clock.read(100_016, 1_024), 100_016 * 64);
  assert.equal(clock.restarted, true);
  assert.equal(clock.read(100_017, 1_088), 100_017 * 64);
  assert.equal(clock.restarted, false);
});
