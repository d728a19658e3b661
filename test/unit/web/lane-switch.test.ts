import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LaneSwitch, laneOverlapMs } from '../../../src/web/lane-switch.ts';

/** A switch, what is open, and each state there was. */
function stage() {
  const open = { track: true, fast: false };
  const states: string[] = [];
  const pending = new Set<() => void>();
  const note = () => {
    const lanes = [open.track ? 'track' : '', open.fast ? 'fast' : ''].filter(
      (lane) => lane !== '',
    );
    states.push(lanes.join('+'));
  };
  const delays: number[] = [];
  const laneSwitch = new LaneSwitch({
    setTrackAudible: (audible) => {
      open.track = audible;
      note();
    },
    setFastAudible: (audible) => {
      open.fast = audible;
      note();
    },
    later: (delayMs, action) => {
      delays.push(delayMs);
      pending.add(action);
      return () => pending.delete(action);
    },
  });
  const elapse = () => {
    for (const action of pending) action();
    pending.clear();
  };
  return { laneSwitch, states, delays, elapse };
}

test('the lane that begins is open before the other is closed, both ways', () => {
  const { laneSwitch, states, delays, elapse } = stage();
  laneSwitch.set('fast');
  assert.deepEqual(states, ['track+fast']);
  elapse();
  laneSwitch.set('track');
  elapse();
  assert.deepEqual(states, ['track+fast', 'fast', 'track+fast', 'track']);
  assert.deepEqual(delays, [laneOverlapMs, laneOverlapMs]);
});

test('a change back within the overlap never closes the lane it goes back to', () => {
  const { laneSwitch, states, elapse } = stage();
  laneSwitch.set('fast');
  laneSwitch.set('track');
  laneSwitch.set('fast');
  laneSwitch.set('track');
  elapse();
  assert.equal(states.at(-1), 'track');
  assert.ok(
    states.every((lanes) => lanes.includes('track')),
    states.join(' '),
  );
  assert.equal(laneSwitch.lane, 'track');
});

test('the lane that sounds already is left alone', () => {
  const { laneSwitch, states, elapse } = stage();
  laneSwitch.set('track');
  elapse();
  assert.deepEqual(states, []);
});
