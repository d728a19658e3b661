import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ChildState } from '../../../supervisor/child-status.ts';
import { type LifecycleEvent, nextState, transitions } from '../../../supervisor/lifecycle.ts';

const states: readonly ChildState[] = [
  'stopped',
  'starting',
  'running',
  'stopping',
  'backing-off',
  'failed',
];
const events: readonly LifecycleEvent[] = [
  'start',
  'ready',
  'stop',
  'exited',
  'crash',
  'retry',
  'give-up',
  'refused',
];

describe('the lifecycle table', () => {
  it('is exactly this', () => {
    const rows = states.flatMap((state) =>
      events.flatMap((event) => {
        const next = nextState(state, event);
        return next === undefined ? [] : [`${state} --${event}--> ${next}`];
      }),
    );
    assert.deepEqual(rows, [
      'stopped --start--> starting',
      'starting --ready--> running',
      'starting --stop--> stopping',
      'starting --crash--> backing-off',
      'starting --refused--> failed',
      'running --stop--> stopping',
      'running --crash--> backing-off',
      'running --refused--> failed',
      'stopping --exited--> stopped',
      'backing-off --stop--> stopped',
      'backing-off --retry--> starting',
      'backing-off --give-up--> failed',
      'failed --start--> starting',
      'failed --stop--> stopped',
    ]);
  });

  it('has a row for every state and reaches every state', () => {
    assert.deepEqual(Object.keys(transitions).sort(), [...states].sort());
    const reached = new Set<string>(
      Object.values(transitions).flatMap((row) => Object.values(row)),
    );
    assert.deepEqual([...reached].sort(), [...states].sort());
  });

  it('leads from every state to stopped by stop and exited alone', () => {
    for (const state of states) {
      const stopping = nextState(state, 'stop') ?? state;
      const end = nextState(stopping, 'exited') ?? stopping;
      assert.equal(end, 'stopped', state);
    }
  });

  it('leaves failed by nothing that happens by itself', () => {
    assert.deepEqual(Object.keys(transitions.failed).sort(), ['start', 'stop']);
  });
});
