/**
 * Where the page's microphone stands. `starting`: the browser is asked for the sound and the device
 * for the floor. `refused`: another viewer holds the microphone. `resuming`: it was on when the session
 * was lost, and is asked for again when the session is back.
 */
export type MicrophonePhase = 'off' | 'starting' | 'on' | 'refused' | 'resuming';

export type MicrophoneEvent =
  /** The person asks for the microphone (again, or with a takeover). */
  | 'press'
  /** Sound and floor are both there. */
  | 'ready'
  /** The device says that another viewer holds the microphone. */
  | 'held'
  /** The browser gives no sound, or the device no floor. */
  | 'failed'
  /** The person, or leaving the page, turns it off. */
  | 'stop'
  /** The device gave the floor to another viewer, or to nobody. */
  | 'floor-lost'
  | 'session-lost'
  | 'session-back';

type Transitions = Readonly<
  Record<MicrophonePhase, Readonly<Partial<Record<MicrophoneEvent, MicrophonePhase>>>>
>;

/** What is not in the table does not happen: the event is of no consequence in that phase. */
export const microphoneTransitions: Transitions = {
  off: { press: 'starting' },
  starting: {
    ready: 'on',
    held: 'refused',
    failed: 'off',
    stop: 'off',
    'floor-lost': 'off',
    'session-lost': 'resuming',
  },
  on: { failed: 'off', stop: 'off', 'floor-lost': 'off', 'session-lost': 'resuming' },
  refused: { press: 'starting', stop: 'off', 'session-lost': 'off' },
  resuming: { 'session-back': 'starting', failed: 'off', stop: 'off' },
};

/** The phase after an event; undefined where the event changes nothing. */
export function nextPhase(
  phase: MicrophonePhase,
  event: MicrophoneEvent,
): MicrophonePhase | undefined {
  return microphoneTransitions[phase][event];
}
