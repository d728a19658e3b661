import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SequenceCounter, SequenceTracker } from '../../../src/ipc/sequence.ts';

describe('SequenceCounter', () => {
  it('counts each type for itself, from 0', () => {
    const counter = new SequenceCounter();
    assert.deepEqual(
      [counter.take('opus'), counter.take('opus'), counter.take('video'), counter.take('opus')],
      [0, 1, 0, 2],
    );
  });
});

describe('SequenceTracker', () => {
  it('counts missing frames per type', () => {
    const tracker = new SequenceTracker();
    assert.equal(tracker.arrived('opus', 0), false);
    assert.equal(tracker.arrived('video', 0), false);
    assert.equal(tracker.arrived('opus', 1), false);
    assert.equal(tracker.arrived('opus', 4), true);
    assert.equal(tracker.arrived('opus', 5), false);
    assert.equal(tracker.arrived('video', 1), false);
    assert.equal(tracker.missing, 2);
  });

  it('takes the first frame of a type as it is', () => {
    const tracker = new SequenceTracker();
    assert.equal(tracker.arrived('opus', 1_000), false);
    assert.equal(tracker.missing, 0);
  });

  it('goes on over the wrap at 2³²', () => {
    const tracker = new SequenceTracker();
    tracker.arrived('opus', 2 ** 32 - 2);
    assert.equal(tracker.arrived('opus', 2 ** 32 - 1), false);
    assert.equal(tracker.arrived('opus', 0), false);
    assert.equal(tracker.arrived('opus', 2), true);
    assert.equal(tracker.missing, 1);
  });

  it('sees a gap after frames that were not passed on', () => {
    const tracker = new SequenceTracker();
    tracker.arrived('opus', 0);
    tracker.lost('opus');
    assert.equal(tracker.arrived('opus', 1), true);
    assert.equal(tracker.arrived('opus', 2), false);
    assert.equal(tracker.missing, 0, 'they did arrive');
  });
});
