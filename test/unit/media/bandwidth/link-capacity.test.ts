import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LinkCapacity } from '../../../../src/media/bandwidth/link-capacity.ts';

test('it is the mean of like samples, and a sample of another kind begins anew', () => {
  const capacity = new LinkCapacity({ validMs: 1_000 });
  assert.equal(capacity.at(0), undefined);
  capacity.full(1_000_000, 0);
  capacity.full(1_050_000, 100);
  assert.equal(capacity.at(100), 1_010_000);
  capacity.full(400_000, 200);
  assert.equal(capacity.at(200), 400_000);
});

test('it is believed for a time only', () => {
  const capacity = new LinkCapacity({ validMs: 1_000 });
  capacity.full(1_000_000, 0);
  assert.equal(capacity.at(999), 1_000_000);
  assert.equal(capacity.at(1_000), undefined);
});

test('more that comes through than it explains ends the belief', () => {
  const capacity = new LinkCapacity({ validMs: 1_000 });
  capacity.full(1_000_000, 0);
  assert.equal(capacity.carried(1_050_000), false);
  assert.equal(capacity.at(0), 1_000_000);
  assert.equal(capacity.carried(1_070_000), true);
  assert.equal(capacity.at(0), undefined);
  assert.equal(capacity.includes(1_000_000), false);
});
