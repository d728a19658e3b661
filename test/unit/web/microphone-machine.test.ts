import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type MicrophoneEvent,
  type MicrophonePhase,
  microphoneTransitions,
  nextPhase,
} from '../../../src/web/microphone-machine.ts';

const events: readonly MicrophoneEvent[] = [
  'press',
  'ready',
  'held',
  'failed',
  'stop',
  'floor-lost',
  'session-lost',
  'session-back',
];

/** Every event in every phase; `-` where it is of no consequence. */
const expected: Readonly<Record<MicrophonePhase, readonly (MicrophonePhase | '-')[]>> = {
  off: ['starting', '-', '-', '-', '-', '-', '-', '-'],
  starting: ['-', 'on', 'refused', 'off', 'off', 'off', 'resuming', '-'],
  on: ['-', '-', '-', 'off', 'off', 'off', 'resuming', '-'],
  refused: ['starting', '-', '-', '-', 'off', '-', 'off', '-'],
  resuming: ['-', '-', '-', 'off', 'off', '-', '-', 'starting'],
};

for (const phase of ['off', 'starting', 'on', 'refused', 'resuming'] as const) {
  test(`in "${phase}" each event leads where the table says`, () => {
    const reached = events.map((event) => nextPhase(phase, event) ?? '-');
    assert.deepEqual(reached, expected[phase]);
  });
}

test('sound is let go of by one event from wherever it is captured', () => {
  for (const phase of ['starting', 'on', 'resuming'] as const) {
    assert.equal(nextPhase(phase, 'stop'), 'off');
    assert.equal(nextPhase(phase, 'failed'), 'off');
  }
});

test('nothing but a press leads out of "off"', () => {
  assert.deepEqual(Object.keys(microphoneTransitions.off), ['press']);
});
