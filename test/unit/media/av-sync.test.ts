import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AudioDelayTarget } from '../../../src/media/av-sync.ts';

/** One at epoch 1, with feedback of viewer "a" at its time. */
function setUp() {
  const target = new AudioDelayTarget();
  const clock = { ms: 0 };
  target.segment({ epoch: 1, rate: 25, nowMs: 0 });
  return {
    target,
    clock,
    say: (deltaMs: number, excessMs = 0, viewer = 'a', epoch = 1) =>
      target.feedback({ ...{ viewer, epoch, deltaMs, excessMs }, nowMs: clock.ms }),
    /** The delays of so many segments, two seconds each. */
    segments(count: number, more: { epoch?: number; rate?: number } = {}): number[] {
      return Array.from({ length: count }, () => {
        clock.ms += 2_000;
        return target.segment({ ...{ epoch: 1, rate: 25 }, ...more, nowMs: clock.ms });
      });
    },
  };
}

test('REFERENCE 1b: the device sets the audio delay target to max(excess, delta) ≤ 800 ms', () => {
  const { target, say } = setUp();
  for (const [delta, excess, expected] of [
    [230, 130, 230],
    [110, 125, 125],
    [799, 0, 799],
    [801, 0, 800],
    [100, 3_000_000, 800],
    [220, -30, 220],
  ] as const) {
    say(delta, excess);
    assert.equal(target.targetMs, expected);
  }
});

test('REFERENCE 1b: it moves 160 ms a segment', () => {
  const { say, segments } = setUp();
  say(400);
  assert.deepEqual(segments(1), [160]);
  say(400);
  assert.deepEqual(segments(1), [320]);
  say(400);
  assert.deepEqual(segments(1), [400]);
  say(100);
  assert.deepEqual(segments(1), [240]);
});

test('REFERENCE 1b: it decays 160 ms per 4 s without feedback', () => {
  const { target, say, segments } = setUp();
  say(400);
  assert.deepEqual(segments(3), [160, 240, 240]);
  assert.equal(target.targetMs, 240);
  assert.deepEqual(segments(5), [80, 80, 0, 0, 0]);
  assert.equal(target.targetMs, 0);
});

test('REFERENCE 1b: it resets on an epoch or rate change', () => {
  for (const change of [{ epoch: 2 }, { rate: 30 }]) {
    const { target, say, segments } = setUp();
    say(400);
    segments(2);
    assert.deepEqual(segments(1, change), [0]);
    assert.deepEqual([target.targetMs, target.delayMs], [0, 0]);
    assert.deepEqual(segments(1, change), [0]);
  }
});

test('NaN, infinities and negative numbers are ignored, and an epoch that is not the current one', () => {
  const { target, say, segments } = setUp();
  say(300);
  for (const [delta, excess] of [
    [Number.NaN, Number.NaN],
    [-5, -5],
    [Number.POSITIVE_INFINITY, 0],
    [0, 0],
  ] as const) {
    say(delta, excess);
  }
  say(700, 0, 'a', 0);
  say(700, 0, 'a', 2);
  assert.deepEqual([target.targetMs, target.ignored], [300, 6]);
  assert.deepEqual(segments(1), [160]);
  assert.deepEqual(segments(1, { epoch: 0 }), [160]);
  say(300);
  assert.deepEqual(segments(1), [300]);
});

test('of several viewers the largest counts, until it leaves', () => {
  const { target, say, segments } = setUp();
  say(100, 0, 'near');
  say(500, 0, 'far');
  assert.equal(target.targetMs, 500);
  assert.deepEqual(segments(1), [160]);
  say(100, 0, 'near');
  target.leave('far');
  assert.equal(target.targetMs, 100);
  assert.deepEqual(segments(1), [100]);
});

test('whatever comes, the delay is 0–800 ms and moves by 160 at most', () => {
  const number = fc.oneof(fc.double(), fc.integer({ min: -200, max: 2_000 }));
  const step = fc.oneof(
    fc.record({
      viewer: fc.string({ maxLength: 1 }),
      epoch: fc.nat(3),
      delta: number,
      excess: number,
    }),
    fc.record({ segmentEpoch: fc.nat(3), rate: fc.constantFrom(25, 30), passMs: fc.nat(20_000) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const target = new AudioDelayTarget();
      let nowMs = 0;
      for (const one of steps) {
        const before = target.delayMs;
        if ('viewer' in one) {
          const { viewer, epoch, delta, excess } = one;
          target.feedback({ ...{ viewer, epoch, nowMs }, deltaMs: delta, excessMs: excess });
        } else {
          nowMs += one.passMs;
          target.segment({ epoch: one.segmentEpoch, rate: one.rate, nowMs });
        }
        const { delayMs, targetMs } = target;
        assert.ok(delayMs >= 0 && delayMs <= 800 && targetMs >= 0 && targetMs <= 800);
        assert.ok(delayMs === 0 || Math.abs(delayMs - before) <= 160);
      }
    }),
  );
});

test('viewers that are gone without a word do not pile up', () => {
  const { target, say, segments } = setUp();
  for (let i = 0; i < 1_000; i += 1) say(100 + i / 10, 0, `viewer ${i}`);
  assert.ok(Math.abs(target.targetMs - 199.9) < 1e-9);
  segments(20);
  assert.equal(target.targetMs, 0);
});
