import { type InputStats, inputDeviceStates } from '../audio/input/input-stats.ts';
import { fromStats, labelled, type Metric } from './metric.ts';
import { soundDeviceMetrics } from './sound-device-metrics.ts';

/** A metric of the audio-input child; absent while it does not run. */
const input = fromStats(({ audioInput }) => audioInput());

/** The child counts at 48 kHz whatever the device runs with. */
const sampleRateHz = 48_000;

function played(name: string, help: string, samples: (stats: InputStats) => number): Metric {
  return input('counter', [name, 'seconds', help], (stats) => samples(stats) / sampleRateHz);
}

/** Metrics of the microphone’s way from the main process to the sound card. */
export const audioInputMetrics: readonly Metric[] = [
  labelled(
    'gauge',
    [
      'earshot_audio_input_device_state',
      '1',
      '1 for the state the playback device is in: closed while nobody holds the microphone, idle while the host does not record.',
    ],
    ['state'],
    ({ audioInput }) => {
      const stats = audioInput();
      if (stats === undefined) return [];
      return inputDeviceStates.map((state) => ({
        labels: { state },
        value: Number(state === stats.deviceState),
      }));
    },
  ),
  ...soundDeviceMetrics({
    prefix: 'earshot_audio_input',
    metric: input,
    xruns: 'Underruns of the playback buffer (EPIPE).',
    thread: 'playback',
  }),
  input(
    'counter',
    [
      'earshot_audio_input_received_frames_total',
      '1',
      'Microphone packets that came to the audio-input process.',
    ],
    ({ receivedFrames }) => receivedFrames,
  ),
  input(
    'counter',
    ['earshot_audio_input_received_bytes_total', 'bytes', 'Bytes of their Opus packets.'],
    ({ receivedBytes }) => receivedBytes,
  ),
  input(
    'counter',
    ['earshot_audio_input_decoded_frames_total', '1', 'Opus packets decoded.'],
    ({ decodedFrames }) => decodedFrames,
  ),
  input(
    'counter',
    [
      'earshot_audio_input_late_frames_total',
      '1',
      'Packets dropped since they came after their moment.',
    ],
    ({ lateFrames }) => lateFrames,
  ),
  input(
    'counter',
    ['earshot_audio_input_duplicate_frames_total', '1', 'Packets dropped since they came twice.'],
    ({ duplicateFrames }) => duplicateFrames,
  ),
  input(
    'counter',
    [
      'earshot_audio_input_malformed_frames_total',
      '1',
      'Packets dropped since they are not Opus, or longer than allowed.',
    ],
    ({ malformedFrames }) => malformedFrames,
  ),
  input(
    'counter',
    [
      'earshot_audio_input_dropped_frames_total',
      '1',
      'Packets dropped since there was no room or no device for them.',
    ],
    ({ droppedFrames }) => droppedFrames,
  ),
  played(
    'earshot_audio_input_fec_seconds_total',
    'Lost sound recovered from in-band FEC.',
    ({ fecSamples }) => fecSamples,
  ),
  played(
    'earshot_audio_input_plc_seconds_total',
    'Lost sound made up by packet loss concealment.',
    ({ plcSamples }) => plcSamples,
  ),
  played(
    'earshot_audio_input_dtx_seconds_total',
    'Sound made up in pauses that the sender did not send (DTX).',
    ({ dtxSamples }) => dtxSamples,
  ),
  played(
    'earshot_audio_input_shortened_seconds_total',
    'Sound taken out to bring the delay down to its target.',
    ({ shortenedSamples }) => shortenedSamples,
  ),
  played(
    'earshot_audio_input_lengthened_seconds_total',
    'Sound put in to bring the delay up to its target.',
    ({ lengthenedSamples }) => lengthenedSamples,
  ),
  played(
    'earshot_audio_input_played_seconds_total',
    'Sound played into the device.',
    ({ playedSamples }) => playedSamples,
  ),
  input(
    'counter',
    [
      'earshot_audio_input_starvations_total',
      '1',
      'Times there was no sound left to play while some was due.',
    ],
    ({ starvations }) => starvations,
  ),
  input(
    'counter',
    [
      'earshot_audio_input_stream_resets_total',
      '1',
      'Times the stream began anew: another SSRC, or a jump no network makes.',
    ],
    ({ streamResets }) => streamResets,
  ),
  input(
    'gauge',
    [
      'earshot_audio_input_jitter_seconds',
      'seconds',
      'How much later than the quickest packets come, 97th percentile of the last seconds.',
    ],
    ({ jitterMs }) => jitterMs / 1e3,
  ),
  input(
    'gauge',
    [
      'earshot_audio_input_jitter_buffer_target_seconds',
      'seconds',
      'Delay the jitter buffer aims at.',
    ],
    ({ targetMs }) => targetMs / 1e3,
  ),
  input(
    'gauge',
    [
      'earshot_audio_input_jitter_buffer_level_seconds',
      'seconds',
      'Sound that waits: in the jitter buffer, the ring and the device.',
    ],
    ({ levelMs }) => levelMs / 1e3,
  ),
  input(
    'gauge',
    [
      'earshot_audio_input_latency_mean_seconds',
      'seconds',
      'Mean time from a packet’s arrival to the sound card, last second; 0 while nothing plays.',
    ],
    ({ latencyMeanMs }) => latencyMeanMs / 1e3,
  ),
  input(
    'gauge',
    ['earshot_audio_input_latency_p95_seconds', 'seconds', 'The same, 95th percentile.'],
    ({ latencyP95Ms }) => latencyP95Ms / 1e3,
  ),
  input(
    'gauge',
    [
      'earshot_audio_input_drift_ratio',
      'ratio',
      'How much faster the sender’s clock runs than the device’s; 0.0001 is 100 ppm.',
    ],
    ({ driftPpm }) => driftPpm / 1e6,
  ),
  input(
    'gauge',
    [
      'earshot_audio_input_decode_mean_seconds',
      'seconds',
      'Mean time to decode one packet, last second.',
    ],
    ({ decodeMeanUs }) => decodeMeanUs / 1e6,
  ),
  input(
    'gauge',
    [
      'earshot_audio_input_decode_max_seconds',
      'seconds',
      'Longest time to decode one packet, last second.',
    ],
    ({ decodeMaxUs }) => decodeMaxUs / 1e6,
  ),
  input(
    'gauge',
    [
      'earshot_audio_input_last_frame_age_seconds',
      'seconds',
      'Time since the last packet; absent before the first.',
    ],
    ({ lastFrameAgeMs }) => (lastFrameAgeMs < 0 ? undefined : lastFrameAgeMs / 1e3),
  ),
];
