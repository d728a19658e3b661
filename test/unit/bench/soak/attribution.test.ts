import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { causesOf, growth, type Snapshot } from '../../../bench/soak/attribution.ts';

/** A snapshot each second, in which `xruns` grows at 10 s and `late` at 20 s. */
const snapshots: Snapshot[] = Array.from({ length: 31 }, (_, n) => ({
  atMs: n * 1_000,
  counters: { xruns: n < 10 ? 0 : 1, ...(n < 20 ? {} : { late: 3 }), steady: 5 },
}));
const names = ['late', 'xruns', 'steady'];

describe('the causes of what was heard', () => {
  const at = (ms: number) => causesOf({ fromMs: ms, toMs: ms + 20 }, snapshots, names);

  it('are the counters that grew about then', () => {
    assert.deepEqual(at(9_500), [{ counter: 'xruns', by: 1 }]);
    assert.deepEqual(at(8_000), [{ counter: 'xruns', by: 1 }]);
  });

  it('include counters that were not there before', () => {
    assert.deepEqual(at(19_500), [{ counter: 'late', by: 3 }]);
  });

  it('are none when nothing grew', () => {
    assert.deepEqual(at(3_000), []);
    assert.deepEqual(at(14_000), []);
  });

  it('are looked for as far as there are snapshots', () => {
    assert.deepEqual(at(-5_000), []);
    assert.deepEqual(at(40_000), []);
    assert.deepEqual(causesOf({ fromMs: 0, toMs: 1 }, [], names), []);
  });
});

describe('growth', () => {
  it('is from the first snapshot to the last', () => {
    assert.equal(growth(snapshots, 'late'), 3);
    assert.equal(growth(snapshots, 'steady'), 0);
    assert.equal(growth([], 'late'), 0);
  });
});
