import { fromStats, type Metric, plain, unixSeconds } from './metric.ts';
import { soundDeviceMetrics } from './sound-device-metrics.ts';

/** A metric of the audio-output child; absent while it does not run. */
const output = fromStats(({ audioOutput }) => audioOutput());

const captureRateHz = 48_000;

/** Metrics of the host’s sound. */
export const audioOutputMetrics: readonly Metric[] = [
  plain(
    'gauge',
    ['earshot_audio_output_muted', '1', '1 while the host’s sound is muted for every viewer.'],
    ({ muted }) => Number(muted()),
  ),
  output(
    'gauge',
    ['earshot_audio_output_device_open', '1', '1 while the capture device is open.'],
    ({ deviceState }) => Number(deviceState === 'open'),
  ),
  ...soundDeviceMetrics({
    prefix: 'earshot_audio_output',
    metric: output,
    xruns: 'Overruns of the capture buffer (EPIPE).',
    thread: 'capture',
  }),
  output(
    'counter',
    [
      'earshot_audio_output_captured_samples_total',
      '1',
      'Samples per channel read from the device.',
    ],
    ({ capturedSamples }) => capturedSamples,
  ),
  output(
    'counter',
    ['earshot_audio_output_encoded_frames_total', '1', 'Opus packets made.'],
    ({ encodedFrames }) => encodedFrames,
  ),
  output(
    'counter',
    ['earshot_audio_output_encoded_bytes_total', 'bytes', 'Bytes of the Opus packets made.'],
    ({ encodedBytes }) => encodedBytes,
  ),
  output(
    'counter',
    [
      'earshot_audio_output_dropped_frames_total',
      '1',
      'Opus packets dropped since nobody collected them for 100 ms.',
    ],
    ({ droppedFrames }) => droppedFrames,
  ),
  output(
    'counter',
    [
      'earshot_audio_output_lost_seconds_total',
      'seconds',
      'Sound lost to overruns and gaps, by the sound card’s own timestamps.',
    ],
    ({ lostSamples }) => lostSamples / captureRateHz,
  ),
  output(
    'gauge',
    [
      'earshot_audio_output_encode_mean_seconds',
      'seconds',
      'Mean time to encode one packet, last second.',
    ],
    ({ encodeMeanUs }) => encodeMeanUs / 1e6,
  ),
  output(
    'gauge',
    [
      'earshot_audio_output_encode_max_seconds',
      'seconds',
      'Longest time to encode one packet, last second.',
    ],
    ({ encodeMaxUs }) => encodeMaxUs / 1e6,
  ),
  plain(
    'gauge',
    [
      'earshot_audio_output_latency_mean_seconds',
      'seconds',
      'Mean time from the capture of a packet’s first sample until it is sent, last second: it includes the packet’s own length; 0 while nothing is sent.',
    ],
    ({ audioOutputDelay }) => audioOutputDelay().latencyMeanMs / 1e3,
  ),
  plain(
    'gauge',
    ['earshot_audio_output_latency_p95_seconds', 'seconds', 'The same, 95th percentile.'],
    ({ audioOutputDelay }) => audioOutputDelay().latencyP95Ms / 1e3,
  ),
  plain(
    'gauge',
    [
      'earshot_audio_output_last_frame_time_seconds',
      'seconds',
      'When the last packet was made, Unix time; absent before the first.',
    ],
    ({ audioOutputDelay }) => unixSeconds(audioOutputDelay().lastFrameUnixMs),
  ),
];
