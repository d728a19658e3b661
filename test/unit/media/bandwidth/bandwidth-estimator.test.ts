import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BandwidthEstimator } from '../../../../src/media/bandwidth/bandwidth-estimator.ts';
import type { TransportFeedback } from '../../../../src/media/rtcp-read.ts';

const packetBytes = 1_250;

/** Sends a packet every 10 ms (1 Mbit/s) from `from` on, and feeds back `change`d feedback every 100 ms, 50 ms late. */
function run(
  estimator: BandwidthEstimator,
  span: { readonly from: number; readonly until: number },
  change: (feedback: TransportFeedback) => TransportFeedback | undefined = (feedback) => feedback,
): void {
  for (let atMs = span.from; atMs < span.until; atMs += 10) {
    const sequence = atMs / 10;
    estimator.packetSent({ transportSequence: sequence & 0xffff, bytes: packetBytes, atMs });
    if (sequence % 10 !== 9) continue;
    const referenceTime = Math.floor((atMs - 90) / 64);
    const arrivalsUs = Array.from(
      { length: 10 },
      (_, index) => (atMs - 90 + index * 10 + 20 - referenceTime * 64) * 1_000,
    );
    const told = change({
      baseSequence: (sequence - 9) & 0xffff,
      packetCount: 10,
      referenceTime: (referenceTime << 8) >> 8,
      feedbackCount: (sequence / 10) & 0xff,
      arrivalsUs,
    });
    if (told !== undefined) estimator.feedback(told, atMs + 50);
  }
}

test('it begins with what it is told, and refuses a range that is none', () => {
  assert.equal(new BandwidthEstimator().targetBps, 1_000_000);
  assert.equal(new BandwidthEstimator({ startBps: 700_000 }).targetBps, 700_000);
  assert.equal(new BandwidthEstimator({ maxBps: 700_000 }).targetBps, 700_000);
  assert.equal(new BandwidthEstimator({ maxBps: 70_000 }).targetBps, 70_000);
  for (const options of [
    { minBps: 0 },
    { minBps: 2_000_000 },
    { startBps: 6_000_000 },
    { startBps: Number.NaN },
    { maxBps: Number.POSITIVE_INFINITY },
  ]) {
    assert.throws(() => new BandwidthEstimator(options), RangeError);
  }
});

test('the estimate does not run away from what is sent', () => {
  const estimator = new BandwidthEstimator();
  run(estimator, { from: 0, until: 60_000 });
  assert.ok(estimator.targetBps > 1_400_000);
  assert.ok(estimator.targetBps < 1_600_000);
  assert.equal(estimator.state, 'increase');
  assert.ok(Math.abs(estimator.numbers.acknowledgedBps - 1_000_000) < 30_000);
  assert.ok(Math.abs(estimator.numbers.roundTripMs - 50) < 1);
});

test('without any feedback it stays where it was, and asks for no padding', () => {
  const estimator = new BandwidthEstimator();
  for (let atMs = 0; atMs < 60_000; atMs += 10) {
    estimator.packetSent({ transportSequence: atMs / 10, bytes: packetBytes, atMs });
    assert.equal(estimator.paddingBytes(atMs), 0);
  }
  assert.equal(estimator.targetBps, 1_000_000);
});

test('feedback that stays away for more than two seconds lowers the target, to no less than the least', () => {
  const estimator = new BandwidthEstimator();
  run(estimator, { from: 0, until: 5_000 });
  const before = estimator.targetBps;
  run(estimator, { from: 5_000, until: 6_900 }, () => undefined);
  assert.equal(estimator.targetBps, before);
  run(estimator, { from: 6_900, until: 8_500 }, () => undefined);
  assert.ok(estimator.targetBps < 0.85 * before);
  run(estimator, { from: 8_500, until: 60_000 }, () => undefined);
  assert.equal(estimator.targetBps, 150_000);
});

test('a viewer that stops and comes back with another clock is followed', () => {
  const estimator = new BandwidthEstimator();
  run(estimator, { from: 0, until: 5_000 });
  run(estimator, { from: 5_000, until: 15_000 }, (feedback) => ({
    ...feedback,
    referenceTime: feedback.referenceTime + 1_000_000,
  }));
  assert.equal(estimator.counts.feedbacksRefused, 15);
  assert.ok(estimator.targetBps > 1_300_000);
});

test('more than 12 days pass without a trace', () => {
  const wrapMs = 2 ** 24 * 64;
  const from = Math.floor((wrapMs / 2 - 5_000) / 100) * 100;
  const estimator = new BandwidthEstimator();
  run(estimator, { from, until: from + 20_000 });
  assert.equal(estimator.counts.feedbacksRefused, 0);
  assert.ok(estimator.targetBps > 1_300_000);
});

const lies: Readonly<
  Record<string, (feedback: TransportFeedback) => TransportFeedback | undefined>
> = {
  'packets never sent': (feedback) => ({
    ...feedback,
    baseSequence: (feedback.baseSequence + 20_000) & 0xffff,
  }),
  'packets far in the past': (feedback) => ({
    ...feedback,
    baseSequence: (feedback.baseSequence - 30_000) & 0xffff,
  }),
  'absurd deltas': (feedback) => ({
    ...feedback,
    arrivalsUs: feedback.arrivalsUs.map((_, index) => (index % 2 === 0 ? 1 : -1) * 1e9),
  }),
  'a count without arrivals': (feedback) => ({ ...feedback, packetCount: 4_096, arrivalsUs: [] }),
  'a clock that jumps each time': (feedback) => ({
    ...feedback,
    referenceTime: feedback.feedbackCount % 2 === 0 ? 0x7fffff : -0x400000,
  }),
  'a clock set back': (feedback) => ({
    ...feedback,
    referenceTime: feedback.referenceTime - 1_000,
  }),
};

for (const [what, lie] of Object.entries(lies)) {
  test(`${what} in feedback, beside what is true: no harm`, () => {
    const estimator = new BandwidthEstimator();
    const honest = new BandwidthEstimator();
    run(honest, { from: 0, until: 20_000 });
    run(estimator, { from: 0, until: 1_000 });
    let nowMs = 1_000;
    run(estimator, { from: 1_000, until: 20_000 }, (feedback) => {
      const told = lie(feedback);
      if (told !== undefined) estimator.feedback(told, nowMs);
      nowMs += 100;
      return feedback;
    });
    assert.ok(estimator.targetBps > 0.9 * honest.targetBps, `${estimator.targetBps}`);
    assert.ok(estimator.targetBps < 1.1 * honest.targetBps, `${estimator.targetBps}`);
  });
}

test('feedback that comes twice is counted once', () => {
  const estimator = new BandwidthEstimator();
  run(estimator, { from: 0, until: 10_000 }, (feedback) => {
    estimator.feedback(feedback, 1e9);
    return feedback;
  });
  assert.ok(estimator.numbers.acknowledgedBps < 1_050_000);
});

test('one that says everything came at once gets no more than its range', () => {
  const estimator = new BandwidthEstimator({ maxBps: 2_000_000 });
  run(estimator, { from: 0, until: 60_000 }, (feedback) => ({
    ...feedback,
    arrivalsUs: feedback.arrivalsUs.map(() => 0),
  }));
  assert.ok(estimator.targetBps <= 2_000_000);
});

test('whatever is fed in, the target is a number within its range', () => {
  const arrival = fc.option(
    fc.oneof(
      fc.integer({ min: 0, max: 400 }).map((units) => units * 250),
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 }),
    ),
    { nil: undefined },
  );
  const step = fc.oneof(
    fc.record({ kind: fc.constant('send' as const), count: fc.integer({ min: 1, max: 60 }) }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 5_000 }) }),
    fc.record({ kind: fc.constant('loss' as const), share: fc.double({ min: -1, max: 2 }) }),
    fc.record({
      kind: fc.constant('feedback' as const),
      base: fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0, max: 300 })),
      reference: fc.oneof(
        fc.integer({ min: 0, max: 200 }),
        fc.integer({ min: -(2 ** 23), max: 2 ** 23 - 1 }),
      ),
      arrivals: fc.array(arrival, { maxLength: 60 }),
    }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const estimator = new BandwidthEstimator({ minBps: 200_000, maxBps: 3_000_000 });
      let nowMs = 0;
      let sequence = 0;
      for (const action of steps) {
        if (action.kind === 'wait') nowMs += action.ms;
        if (action.kind === 'loss') estimator.loss({ fractionLost: action.share, nowMs });
        if (action.kind === 'send') {
          for (let count = 0; count < action.count; count += 1) {
            const bytes = 100 + (sequence % 11) * 100;
            estimator.packetSent({ transportSequence: sequence & 0xffff, bytes, atMs: nowMs });
            sequence += 1;
            nowMs += 3;
          }
        }
        if (action.kind === 'feedback') {
          const feedback = {
            baseSequence: action.base,
            packetCount: action.arrivals.length,
            referenceTime: action.reference,
            feedbackCount: 0,
            arrivalsUs: action.arrivals,
          };
          estimator.feedback(feedback, nowMs);
        }
        const padding = estimator.paddingBytes(nowMs);
        assert.ok(padding >= 0 && padding <= 6_000, `${padding} bytes of padding`);
        const { targetBps } = estimator;
        assert.ok(targetBps >= 200_000 && targetBps <= 3_000_000, `${targetBps} bit/s`);
      }
      for (const value of Object.values(estimator.numbers)) {
        assert.ok(typeof value !== 'number' || Number.isFinite(value));
      }
    }),
    { numRuns: 300 },
  );
});
