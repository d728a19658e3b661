import type { ChildState } from './child-status.ts';

/**
 * What can happen to a child. `start`: it is wanted. `ready`: it runs with its configuration. `stop`:
 * it is no longer wanted, or is to be started anew. `exited`: its process ended as it was asked to.
 * `crash`: its process ended, or had to be ended, unasked. `retry`: the backoff is over. `give-up`: it
 * crashed too often. `refused`: it does not accept its configuration (exit code 78).
 */
export type LifecycleEvent =
  | 'start'
  | 'ready'
  | 'stop'
  | 'exited'
  | 'crash'
  | 'retry'
  | 'give-up'
  | 'refused';

/** Every transition there is; an event that a state does not list cannot happen in it. */
export const transitions = {
  stopped: { start: 'starting' },
  starting: { ready: 'running', stop: 'stopping', crash: 'backing-off', refused: 'failed' },
  running: { stop: 'stopping', crash: 'backing-off', refused: 'failed' },
  stopping: { exited: 'stopped' },
  'backing-off': { retry: 'starting', 'give-up': 'failed', stop: 'stopped' },
  failed: { start: 'starting', stop: 'stopped' },
} as const satisfies Record<ChildState, Partial<Record<LifecycleEvent, ChildState>>>;

/** The state after `event`, or undefined where the table has none. */
export function nextState(state: ChildState, event: LifecycleEvent): ChildState | undefined {
  const row: Partial<Record<LifecycleEvent, ChildState>> = transitions[state];
  return row[event];
}
