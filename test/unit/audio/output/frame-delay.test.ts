import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameDelay } from '../../../../src/audio/output/frame-delay.ts';

/** One under a clock that stands still until it is told. */
function setUp() {
  const clock = { ms: 10_000 };
  const delay = new FrameDelay({
    nowNs: () => BigInt(clock.ms) * 1_000_000n,
    unixMs: () => 1_700_000_000_000 + clock.ms,
  });
  const note = (tookMs: number): void => delay.note(BigInt(clock.ms - tookMs) * 1_000_000n);
  return { clock, delay, note };
}

test('before the first packet there is nothing', () => {
  assert.deepEqual(setUp().delay.read(), {
    latencyMeanMs: 0,
    latencyP95Ms: 0,
    lastFrameUnixMs: 0,
  });
});

test('mean and 95th percentile are of the time since the capture', () => {
  const { clock, delay, note } = setUp();
  for (let i = 0; i < 100; i += 1) {
    clock.ms += 10;
    note(i % 10 === 9 ? 40 : 20);
  }
  const { latencyMeanMs, latencyP95Ms, lastFrameUnixMs } = delay.read();
  assert.equal(latencyMeanMs, 22);
  assert.equal(latencyP95Ms, 40);
  assert.equal(lastFrameUnixMs, 1_700_000_000_000 + clock.ms);
});

test('what is older than a second is forgotten, the time of the last packet is not', () => {
  const { clock, delay, note } = setUp();
  note(20);
  clock.ms += 1_001;
  assert.deepEqual(delay.read(), {
    latencyMeanMs: 0,
    latencyP95Ms: 0,
    lastFrameUnixMs: 1_700_000_010_000,
  });
});

test('a stamp ahead of the clock counts as no delay', () => {
  const { delay, note } = setUp();
  note(-5);
  assert.equal(delay.read().latencyMeanMs, 0);
});
