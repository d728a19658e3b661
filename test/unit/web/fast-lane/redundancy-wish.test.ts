import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RedundancyWish } from '../../../../src/web/fast-lane/redundancy-wish.ts';

/** A hundred packets a second, with what became of some of them. */
class Lane {
  readonly wish = new RedundancyWish();
  readonly #counts = { received: 0, recovered: 0, lost: 0 };
  #nowMs = 1_000;

  /** Lets `ms` go by in which `lost` and `recovered` packets did not come; true when the wish is on afterwards. */
  pass(ms: number, { lost = 0, recovered = 0 } = {}): boolean {
    this.#counts.lost += lost;
    this.#counts.recovered += recovered;
    this.#counts.received -= lost + recovered;
    for (let passedMs = 0; passedMs < ms; passedMs += 250) {
      this.#nowMs += 250;
      this.#counts.received += 25;
      this.wish.update(this.#nowMs, this.#counts);
    }
    return this.wish.isOn;
  }
}

test('it is off until something is lost', () => {
  const lane = new Lane();
  assert.equal(lane.pass(60_000), false);
});

test('more than 0.5 % of five seconds turn it on, and no less', () => {
  const lane = new Lane();
  lane.pass(10_000);
  assert.equal(lane.pass(250, { lost: 2 }), false);
  assert.equal(lane.pass(250, { lost: 1 }), true);
});

test('losses further apart than that do not add up', () => {
  const lane = new Lane();
  lane.pass(10_000);
  for (let n = 0; n < 10; n += 1) assert.equal(lane.pass(6_000, { lost: 2 }), false);
});

test('what was recovered was lost first: it keeps redundancy on', () => {
  const lane = new Lane();
  lane.pass(10_000);
  assert.equal(lane.pass(250, { lost: 10 }), true);
  for (let n = 0; n < 6; n += 1) assert.equal(lane.pass(20_000, { recovered: 1 }), true);
});

test('thirty calm seconds turn it off, and loss turns it on again', () => {
  const lane = new Lane();
  lane.pass(10_000);
  lane.pass(250, { lost: 10 });
  assert.equal(lane.pass(29_000), true);
  assert.equal(lane.pass(1_500), false);
  assert.equal(lane.pass(1_000, { recovered: 9 }), true);
});

test('no packets are no loss', () => {
  const wish = new RedundancyWish();
  for (let nowMs = 0; nowMs < 20_000; nowMs += 250) {
    assert.equal(wish.update(nowMs, { received: 0, recovered: 0, lost: 0 }), false);
  }
});
