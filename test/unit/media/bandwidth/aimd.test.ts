import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Aimd, rateTransitions } from '../../../../src/media/bandwidth/aimd.ts';
import type { Usage } from '../../../../src/media/bandwidth/overuse-detector.ts';

const options = { startBps: 1_000_000, minBps: 100_000, maxBps: 10_000_000, capacityMs: 10_000 };

/** Feeds it every 100 ms and returns the target at the end. */
function run(
  aimd: Aimd,
  fed: {
    readonly from: number;
    readonly until: number;
    readonly usage?: Usage;
    readonly acknowledgedBps?: number;
    readonly offeredBps?: number;
  },
): number {
  for (let nowMs = fed.from; nowMs <= fed.until; nowMs += 100) {
    aimd.update({
      usage: fed.usage ?? 'normal',
      acknowledgedBps: fed.acknowledgedBps,
      offeredBps: fed.offeredBps ?? fed.acknowledgedBps,
      roundTripMs: 50,
      nowMs,
    });
  }
  return aimd.targetBps;
}

test('draft-ietf-rmcat-gcc-02 §5.5: the states follow its table', () => {
  assert.deepEqual(rateTransitions, {
    increase: { overuse: 'decrease', normal: 'increase', underuse: 'hold' },
    hold: { overuse: 'decrease', normal: 'increase', underuse: 'hold' },
    decrease: { overuse: 'decrease', normal: 'hold', underuse: 'hold' },
  });
});

test('nothing rises before something is known to come through', () => {
  assert.equal(run(new Aimd(options), { from: 0, until: 5_000 }), 1_000_000);
});

test('the start is quick, and 8 % a second after the first limit', () => {
  const aimd = new Aimd(options);
  assert.ok(run(aimd, { from: 0, until: 1_000, acknowledgedBps: 5_000_000 }) > 1_900_000);
  aimd.full(1_000_000, 1_000);
  aimd.cut(0.4);
  const before = aimd.targetBps;
  const after = run(aimd, { from: 1_000, until: 2_000, acknowledgedBps: 950_000 });
  assert.ok(Math.abs(after / before - 1.08) < 0.001);
});

test('more that comes through than the limit was: growth is quicker again', () => {
  const aimd = new Aimd(options);
  aimd.full(1_000_000, 0);
  run(aimd, { from: 0, until: 0, acknowledgedBps: 900_000 });
  const before = aimd.targetBps;
  const after = run(aimd, { from: 100, until: 1_000, acknowledgedBps: 3_000_000 });
  assert.ok(after / before > 1.25, `${after / before}`);
});

test('§5.5: the target is never raised beyond 1.5 times what comes through and 10 kbit/s', () => {
  const aimd = new Aimd(options);
  assert.equal(run(aimd, { from: 0, until: 60_000, acknowledgedBps: 800_000 }), 1_210_000);
});

test('a sender that sends little keeps the estimate, however long', () => {
  const aimd = new Aimd(options);
  assert.equal(run(aimd, { from: 0, until: 600_000, acknowledgedBps: 50_000 }), 1_000_000);
});

test('§5.5: overuse brings it to 85 % of what comes through', () => {
  const aimd = new Aimd(options);
  const overuse = { from: 0, until: 0, usage: 'overuse', offeredBps: 1_000_000 } as const;
  assert.equal(run(aimd, { ...overuse, acknowledgedBps: 800_000 }), 680_000);
  assert.equal(aimd.state, 'decrease');
  assert.equal(aimd.capacityAt(0), 800_000);
});

test('overuse that lasts lowers it once a response time, not with every feedback', () => {
  const aimd = new Aimd(options);
  const fed = { from: 0, until: 100, usage: 'overuse', offeredBps: 1e6 } as const;
  run(aimd, { ...fed, acknowledgedBps: 800_000 });
  assert.equal(run(aimd, { ...fed, acknowledgedBps: 600_000 }), 680_000);
  assert.equal(run(aimd, { ...fed, from: 200, until: 200, acknowledgedBps: 600_000 }), 510_000);
});

test('overuse of a sender that sends little takes 15 %, not nearly everything', () => {
  const aimd = new Aimd(options);
  const fed = { from: 0, until: 0, usage: 'overuse', acknowledgedBps: 60_000 } as const;
  assert.equal(run(aimd, { ...fed, offeredBps: 60_000 }), 850_000);
});

test('§5.5: near what the path carries it rises by about a packet per response time, and not beyond', () => {
  const aimd = new Aimd(options);
  aimd.full(1_000_000, 0);
  const fed = { acknowledgedBps: 900_000 };
  run(aimd, { from: 0, until: 0, usage: 'overuse', ...fed });
  // 765 kbit/s: far from 1 Mbit/s, so by 8 % a second until it is near.
  run(aimd, { from: 200, until: 1_200, ...fed });
  const rise =
    run(aimd, { from: 1_300, until: 3_000, ...fed }) -
    run(aimd, { from: 3_000, until: 3_000, ...fed });
  assert.equal(rise, 0);
  assert.ok(run(aimd, { from: 3_100, until: 9_000, ...fed }) <= 1_000_000);
});

test('what a probe confirms is the target at once; a full path keeps it from rising', () => {
  const aimd = new Aimd(options);
  aimd.confirm(2_500_000);
  assert.equal(aimd.targetBps, 2_500_000);
  aimd.full(2_400_000, 0);
  assert.equal(aimd.targetBps, 2_400_000);
  assert.equal(run(aimd, { from: 0, until: 5_000, acknowledgedBps: 1_800_000 }), 2_400_000);
});

test('the target stays in its range', () => {
  const aimd = new Aimd(options);
  aimd.confirm(1e11);
  assert.equal(aimd.targetBps, 10_000_000);
  for (let count = 0; count < 100; count += 1) aimd.cut(0.5);
  assert.equal(aimd.targetBps, 100_000);
});
