import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  flattenFields,
  formatTable,
  median,
  meets,
  meetsBudgets,
  percentile,
} from '../../bench/bench.ts';

describe('percentile', () => {
  it('interpolates between neighbours, whatever the order of the values', () => {
    assert.equal(percentile([4, 1, 3, 2], 0), 1);
    assert.equal(percentile([4, 1, 3, 2], 1), 4);
    assert.equal(percentile([4, 1, 3, 2], 0.5), 2.5);
    assert.equal(median([9, 1, 5]), 5);
  });

  it('is no number for no values', () => {
    assert.ok(Number.isNaN(median([])));
  });
});

describe('budgets', () => {
  it('are met at the limit itself, on either side', () => {
    assert.ok(meets({ name: 'a', value: 5, is: 'at most', limit: 5 }));
    assert.ok(meets({ name: 'a', value: 5, is: 'at least', limit: 5 }));
    assert.ok(!meets({ name: 'a', value: 5.1, is: 'at most', limit: 5 }));
    assert.ok(!meets({ name: 'a', value: 4.9, is: 'at least', limit: 5 }));
  });

  it('are not met by a figure that is no number', () => {
    assert.ok(!meets({ name: 'a', value: Number.NaN, is: 'at most', limit: 5 }));
    assert.ok(!meetsBudgets([{ name: 'a', value: Number.NaN, is: 'at least', limit: 0 }]));
  });
});

describe('tables', () => {
  it('align their columns', () => {
    assert.deepEqual(
      formatTable([
        ['a', 'value'],
        ['longer', '1'],
      ]),
      ['a       value', 'longer  1'],
    );
  });

  it('name nested fields by their path', () => {
    assert.deepEqual(flattenFields({ a: { b: { c: 1 } }, d: [1, 2], e: 'x' }), [
      ['a.b.c', '1'],
      ['d', '[1,2]'],
      ['e', 'x'],
    ]);
  });
});
