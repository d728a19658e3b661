import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RtpClock } from '../../../../src/media/rtp-clock.ts';
import { CaptureCursor } from '../../../../src/media/segments/capture-cursor.ts';
import { scheduleOf } from '../../../../src/media/segments/schedule.ts';
import { StageSlot } from '../../../../src/media/segments/stage-slot.ts';
import { VideoClock } from '../../../../src/media/video-clock.ts';
import { ManualTimers } from '../../../fixtures/manual-timers.ts';
import { clip, segmentBench } from '../../../fixtures/segment-bench.ts';

type Step =
  | { readonly does: 'publish'; readonly epoch: number; readonly ms: number }
  | { readonly does: 'epoch'; readonly epoch: number }
  | { readonly does: 'fence' }
  | { readonly does: 'pass'; readonly ms: number }
  | { readonly does: 'encoder'; readonly delayMs: number };

const epoch = fc.integer({ min: 0, max: 4 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    does: fc.constant('publish' as const),
    epoch,
    ms: fc.integer({ min: 1, max: 10 }).map((n) => n * 40),
  }),
  fc.record({ does: fc.constant('epoch' as const), epoch }),
  fc.record({ does: fc.constant('fence' as const) }),
  fc.record({ does: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 600 }) }),
  fc.record({
    does: fc.constant('encoder' as const),
    delayMs: fc.constantFrom(0, 5, 80, Number.POSITIVE_INFINITY),
  }),
);

test('whatever comes in whatever order: nothing old is written, time never turns back, and everyone is answered', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const { timers, encoders, pipeline, written, begun, ended } = segmentBench({
        encodeDeadlineMs: 500,
      });
      let answered = 0;
      let asked = 0;
      let newest = 0;
      const ask = (promise: Promise<unknown>): void => {
        asked += 1;
        const count = (): void => {
          answered += 1;
        };
        promise.then(count, count);
      };
      for (const one of steps) {
        if (one.does === 'publish') ask(pipeline.publish(clip(one.ms, { epoch: one.epoch })));
        if (one.does === 'epoch') pipeline.setEpoch(one.epoch);
        if (one.does === 'fence') ask(pipeline.fence());
        if (one.does === 'pass') await timers.advance(one.ms);
        if (one.does === 'encoder') encoders.delayMs = one.delayMs;
        await timers.settle();
        // What is written from here on belongs to a segment of this epoch or a newer one.
        assert.ok(pipeline.epoch >= newest);
        newest = pipeline.epoch;
        const underWay = begun.length > ended.length ? begun.at(-1) : undefined;
        assert.ok(underWay === undefined || underWay.epoch === newest);
      }
      const counts = pipeline.counts();
      assert.ok(ended.length + counts.staleAtEncode + counts.staleAtPublish <= asked);
      await pipeline.close();
      await timers.settle();
      assert.equal(answered, asked);
      assert.equal(timers.pending, 0);
      for (const kind of ['sound', 'picture'] as const) {
        const times = written.filter((one) => one.kind === kind).map((one) => one.captureMs);
        assert.ok(times.every((ms, i) => i === 0 || ms > (times[i - 1] ?? 0)));
      }
      assert.ok(written.every(({ atMs, captureMs }) => atMs >= captureMs));
    }),
    { numRuns: 60 },
  );
});

test('REFERENCE 1b: RTP gap: the clocks of both tracks agree with the wall after any gaps', () => {
  const segment = fc.record({
    gapMs: fc.integer({ min: 0, max: 100_000 }),
    packets: fc.integer({ min: 1, max: 50 }),
    framesPerSecond: fc.integer({ min: 1, max: 120 }),
  });
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1, maxLength: 20 }), (segments) => {
      const cursor = new CaptureCursor();
      const sound = new RtpClock();
      const video = new VideoClock();
      let nowNs = 1_000_000_000_000n;
      let rtp = 0;
      let previousBeginNs = 0n;
      let previousStamp = 0;
      for (const [index, { gapMs, packets, framesPerSecond }] of segments.entries()) {
        const frameNs = BigInt(Math.round(1e9 / framesPerSecond));
        nowNs += BigInt(gapMs) * 1_000_000n;
        const { beginNs, skippedNs } = cursor.begin({ nowNs, frameNs });
        const limitMs = Math.max(2_000 / framesPerSecond, 40);
        // Gaps that were not skipped add up until they are one that is.
        if (index > 0 && gapMs > limitMs) assert.ok(skippedNs >= BigInt(gapMs) * 1_000_000n);
        assert.ok(skippedNs === 0n || beginNs === nowNs);
        assert.ok(nowNs - beginNs <= BigInt(Math.ceil(limitMs * 1e6)));
        for (let i = 0; i < packets; i += 1) {
          const captureTimeNs = beginNs + BigInt(i) * 20_000_000n;
          const step = sound.step({ samples: 960, bytes: 40, captureTimeNs });
          if (i === 0 && index > 0) rtp += Math.round((Number(skippedNs) * 48_000) / 1e9);
          assert.equal(step.timestamp, rtp);
          rtp += 960;
        }
        const stamp = video.at(beginNs);
        if (index > 0) {
          const units = (Number(beginNs - previousBeginNs) * 90_000) / 1e9;
          assert.ok(Math.abs(stamp - previousStamp - units) <= 2);
        }
        previousBeginNs = beginNs;
        previousStamp = stamp;
        const endNs = beginNs + BigInt(packets) * 20_000_000n;
        cursor.end(endNs);
        if (endNs > nowNs) nowNs = endNs;
      }
    }),
  );
});

test('REFERENCE 1b: Pacing: the schedule is in order and keeps every sample', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 100 }),
      fc.integer({ min: 0, max: 100 }),
      fc.integer({ min: 1, max: 120 }),
      (packets, count, framesPerSecond) => {
        const sound = { payload: Buffer.alloc(1), samples: 960 };
        const picture = { codec: 'vp8', payload: Buffer.alloc(1), keyframe: false } as const;
        const { writes, lengthNs } = scheduleOf({
          sounds: Array.from({ length: packets }, () => sound),
          pictures: Array.from({ length: count }, () => picture),
          framesPerSecond,
        });
        assert.equal(writes.length, packets + count);
        const order = writes.every(({ offsetNs, kind }, i) => {
          const before = writes[i - 1];
          if (before === undefined || before.offsetNs < offsetNs) return true;
          return before.offsetNs === offsetNs && before.kind === 'sound' && kind === 'picture';
        });
        assert.ok(order);
        const longest = Math.max(packets * 20e6, (count * 1e9) / framesPerSecond);
        assert.ok(Math.abs(Number(lengthNs) - longest) <= 1);
      },
    ),
  );
});

test('a queue of one keeps the order of those who wait, whoever gives up between', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ deadlineMs: fc.integer({ min: 1, max: 50 }), passMs: fc.nat(30) }), {
        maxLength: 8,
      }),
      async (puts) => {
        const timers = new ManualTimers();
        const slot = new StageSlot<number>('encoded', timers);
        const accepted: number[] = [];
        for (const [index, { deadlineMs, passMs }] of puts.entries()) {
          slot.put(index, deadlineMs).then(
            () => accepted.push(index),
            () => {},
          );
          await timers.advance(passMs);
        }
        const taken: number[] = [];
        while (slot.length > 0) taken.push((await slot.take()) ?? -1);
        await timers.settle();
        assert.deepEqual(taken, accepted);
        assert.deepEqual(
          taken,
          taken.slice().sort((a, b) => a - b),
        );
        slot.close();
        assert.equal(timers.pending, 0);
      },
    ),
    { numRuns: 50 },
  );
});
