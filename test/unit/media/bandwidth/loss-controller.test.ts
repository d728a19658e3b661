import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LossController } from '../../../../src/media/bandwidth/loss-controller.ts';

test('draft-ietf-rmcat-gcc-02 §6: above 10 % lost, the limit is 1 − 0.5 p of what it was', () => {
  const loss = new LossController();
  loss.report(0.2, 0, 1_000_000);
  assert.equal(loss.limitBps, 900_000);
  loss.report(0.2, 1_000, 1_000_000);
  assert.equal(loss.limitBps, 810_000);
});

test('§6: from 2 to 10 % nothing changes', () => {
  const loss = new LossController();
  loss.report(0.05, 0, 1_000_000);
  assert.equal(loss.limitBps, Number.POSITIVE_INFINITY);
  loss.report(0.2, 1_000, 1_000_000);
  loss.report(0.1, 2_000, 1_000_000);
  loss.report(0.02, 3_000, 1_000_000);
  assert.equal(loss.limitBps, 900_000);
});

test('§6: below 2 % it rises by 5 % a second, until it is no limit any more', () => {
  const loss = new LossController();
  loss.report(0.2, 0, 1_000_000);
  loss.report(0, 1_000, 1_000_000);
  assert.equal(loss.limitBps, 945_000);
  loss.report(0, 1_500, 1_000_000);
  assert.equal(loss.limitBps, 945_000);
  loss.report(0, 2_000, 1_000_000);
  loss.report(0, 3_000, 1_000_000);
  assert.equal(loss.limitBps, Number.POSITIVE_INFINITY);
});

test('reports of several streams at once lower it once', () => {
  const loss = new LossController();
  loss.report(0.2, 0, 1_000_000);
  loss.report(0.5, 5, 1_000_000);
  assert.equal(loss.limitBps, 900_000);
});

test('what is no share is ignored', () => {
  const loss = new LossController();
  for (const share of [Number.NaN, -0.1, 1.1, Number.POSITIVE_INFINITY]) {
    assert.equal(loss.report(share, 0, 1_000_000), false);
  }
  assert.equal(loss.limitBps, Number.POSITIVE_INFINITY);
  assert.equal(loss.fractionLost, 0);
});
