import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AvSync, type BufferTimes, deltaOf, PoisonedPath } from '../../../src/web/av-sync.ts';

/** A live stream of segments of 2 s, each picture shown `lagMs` after its time, buffers as given. */
function stream() {
  const sync = new AvSync();
  let nowMs = 50_000;
  // The RTP clock wraps within the first second.
  let rtp = 2 ** 32 - 45_000;
  let segment = 0;
  return {
    sync,
    /** One segment with what it comes to; the first call only begins. */
    next(times: BufferTimes, { lagMs = 40, epoch = 1, everyMs = 2_000, shows = true } = {}) {
      segment += 1;
      const result = sync.begin({ epoch, segment, videoRtp: rtp }, times, nowMs);
      for (let n = 0; shows && n < 50; n += 1) {
        sync.shown((rtp + n * 40 * 90) >>> 0, nowMs + n * 40 + lagMs);
      }
      rtp = (rtp + 180_000) >>> 0;
      nowMs += everyMs;
      return result;
    },
  };
}

const calm: BufferTimes = { videoMs: 60, audioMs: 40 };

describe('REFERENCE 1b: A/V sync', () => {
  test('REFERENCE 1b: a delta of 220 ms for two segments running is told, one is not', () => {
    const { next } = stream();
    assert.equal(next(calm), undefined);
    assert.equal(next({ videoMs: 300, audioMs: 80 })?.isLate, false);
    const told = next({ videoMs: 300, audioMs: 80 });
    assert.deepEqual([told?.isLate, told?.deltaMs, told?.segment], [true, 220, 2]);
    assert.equal(next({ videoMs: 299, audioMs: 80 })?.isLate, false);
  });

  test('REFERENCE 1b: an excess of 120 ms counts with a delta of 100 ms, and not below', () => {
    for (const [videoMs, excessMs, expected] of [
      [140, 120.1, true],
      [139, 120.1, false],
      [140, 119.9, false],
    ] as const) {
      const { next } = stream();
      const times = { videoMs, audioMs: 40 };
      const lagMs = 40 + excessMs;
      next(calm);
      next(calm, { lagMs });
      assert.equal(next(times, { lagMs })?.isLate, false);
      const second = next(times);
      assert.ok(Math.abs((second?.excessMs ?? 0) - excessMs) < 0.01);
      assert.equal(second?.isLate, expected);
    }
  });

  test('REFERENCE 1b: a segment that is well between two late ones begins the count anew', () => {
    const { next } = stream();
    const late = { videoMs: 400, audioMs: 40 };
    next(calm);
    const told = [late, calm, late, calm, late].map((times) => next(times)?.isLate);
    assert.deepEqual(told, [false, false, false, false, false]);
  });

  test('REFERENCE 1b: it is told at most once a second', () => {
    const { next } = stream();
    const late = { videoMs: 400, audioMs: 40 };
    next(calm, { everyMs: 300 });
    const told = Array.from({ length: 10 }, () => next(late, { everyMs: 300 })?.isLate);
    // From the second on, and then each fourth: 1.2 s apart.
    assert.deepEqual(told, [false, true, false, false, false, true, false, false, false, true]);
  });

  test('REFERENCE 1b: NaN and missing numbers never tell anything', () => {
    const { next } = stream();
    next(calm);
    for (const times of [
      { videoMs: Number.NaN, audioMs: 40 },
      { videoMs: undefined, audioMs: 40 },
      { videoMs: 900, audioMs: undefined },
      { videoMs: 900, audioMs: Number.NaN },
      { videoMs: Number.POSITIVE_INFINITY, audioMs: 40 },
    ]) {
      assert.equal(next(times, { lagMs: 2_000 })?.isLate, false);
      assert.equal(deltaOf(times), undefined);
    }
  });

  test('REFERENCE 1b: the excess is counted from the epoch’s first segment, across the wrap of RTP time', () => {
    const { next } = stream();
    next(calm, { lagMs: 90 });
    assert.equal(next(calm, { lagMs: 230 })?.excessMs, 0);
    assert.equal(Math.round(next(calm, { lagMs: 90, epoch: 2 })?.excessMs ?? -1), 140);
    // The new epoch's own first segment is what its others are compared with.
    assert.equal(next(calm, { lagMs: 120, epoch: 2 })?.excessMs, 0);
    assert.equal(Math.round(next(calm, { epoch: 2 })?.excessMs ?? -1), 30);
  });

  test('without the times of pictures there is a delta and no excess', () => {
    const { next } = stream();
    next(calm, { shows: false });
    const result = next(calm, { shows: false });
    assert.deepEqual([result?.deltaMs, result?.excessMs], [20, undefined]);
  });

  test('pictures of an older epoch, and announcements that go back, are nothing', () => {
    const sync = new AvSync();
    sync.begin({ epoch: 2, segment: 5, videoRtp: 900_000 }, calm, 0);
    sync.shown(890_000, 9_999);
    sync.shown(900_000, 40);
    assert.equal(sync.begin({ epoch: 1, segment: 9, videoRtp: 0 }, calm, 100), undefined);
    assert.equal(sync.begin({ epoch: 2, segment: 5, videoRtp: 0 }, calm, 100), undefined);
    const done = sync.begin({ epoch: 2, segment: 6, videoRtp: 990_000 }, calm, 1_000);
    assert.deepEqual([done?.segment, done?.excessMs], [5, 0]);
  });

  test('another connection starts from nothing', () => {
    const { sync, next } = stream();
    next(calm);
    next({ videoMs: 400, audioMs: 40 });
    sync.reset();
    assert.equal(next(calm), undefined);
    assert.equal(next({ videoMs: 400, audioMs: 40 })?.isLate, false);
  });
});

describe('REFERENCE 1b: poisoned path', () => {
  const poisoned = { videoMs: 460, audioMs: 160 };

  test('REFERENCE 1b: delta ≥ 300 with video ≥ 350 and audio ≤ 160 on two polls asks for a reset', () => {
    const path = new PoisonedPath();
    assert.equal(path.poll(poisoned, 0), false);
    assert.equal(path.poll(poisoned, 1_000), true);
  });

  test('REFERENCE 1b: any of the three not met, or not measured, asks for nothing', () => {
    for (const times of [
      { videoMs: 459, audioMs: 160 },
      { videoMs: 349, audioMs: 20 },
      { videoMs: 600, audioMs: 161 },
      { videoMs: Number.NaN, audioMs: 20 },
      { videoMs: 600, audioMs: undefined },
    ]) {
      const path = new PoisonedPath();
      assert.deepEqual([path.poll(times, 0), path.poll(times, 1_000)], [false, false]);
    }
  });

  test('REFERENCE 1b: a reset is asked for at most once in 15 s', () => {
    const path = new PoisonedPath();
    const atS = Array.from({ length: 32 }, (_, n) => n).filter((n) =>
      path.poll(poisoned, n * 1_000),
    );
    assert.deepEqual(atS, [1, 16, 31]);
  });
});
