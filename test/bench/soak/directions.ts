/** The counters that may explain an interruption, for each direction, beside the lab's own. */

const child = (role: 'output' | 'input', names: readonly string[]): string[] =>
  names.map((name) => `earshot_audio_${role}_${name}_total`);

const channel = (role: 'output' | 'input'): string[] =>
  ['media_dropped', 'media_stale', 'sequence_gaps'].map(
    (name) => `earshot_ipc_${name}_total{child="audio-${role}"}`,
  );

/** Times the lab's own recorders missed samples. */
export const labSlips = 'lab.slips';
/** Times the machine let a recorder wait: it let others wait too. */
export const labStalls = 'lab.stalls';
/** Ms that the lab's own sound threads waited for a processor. */
export const labWaits = 'lab.waitedMs';
/** Times the sound was interrupted before Earshot, or the browser, had it. */
export const labInterruptions = 'lab.interruptions';

/** From the host's card to the card that the browser plays into. */
export const outputCauses: readonly string[] = [
  ...child('output', ['xruns', 'suspends', 'reopens', 'lost_seconds', 'dropped_frames']),
  ...channel('output'),
  'earshot_child_restarts_total{child="audio-output"}',
  'earshot_media_frames_dropped_total',
  'earshot_media_gaps_skipped_total',
  'inbound.packetsLost',
  'inbound.packetsDiscarded',
  'inbound.concealedSamples',
  'playout.synthesizedSamplesDuration',
];

/** Stretching is by whole periods: where it fails it moves the phase, and never makes a gap. */
export const outputStretching: readonly string[] = [
  'inbound.insertedSamplesForDeceleration',
  'inbound.removedSamplesForAcceleration',
];

/** The same way, on the fast lane. */
export const fastCauses: readonly string[] = [
  ...outputCauses.filter((name) => !/^(inbound|playout)/.test(name)),
  ...['lost', 'late', 'concealedMs', 'underrunMs'].map((name) => `fast.${name}`),
];

/** What the fast lane aims at when it changes: it stretches sound to get there. */
export const fastStretching: readonly string[] = ['fast.targetMs'];

const dropReasons = ['not-agreed', 'malformed', 'payload-type', 'source', 'rate', 'oversize'];

/** From the card that is the browser's microphone to the card that the host records. */
export const inputCauses: readonly string[] = [
  'track.droppedFrames',
  'earshot_media_microphone_packets_lost',
  ...dropReasons.map(
    (reason) => `earshot_media_microphone_frames_dropped_total{reason="${reason}"}`,
  ),
  ...channel('input'),
  'earshot_child_restarts_total{child="audio-input"}',
  ...child('input', ['xruns', 'suspends', 'reopens', 'starvations', 'stream_resets']),
  ...child('input', ['late_frames', 'duplicate_frames', 'malformed_frames', 'dropped_frames']),
  ...child('input', ['plc_seconds', 'fec_seconds', 'dtx_seconds']),
];

export const inputStretching: readonly string[] = child('input', [
  'lengthened_seconds',
  'shortened_seconds',
]);
