import type { OutputStats } from '../audio/output/output-stats.ts';
import { type Definition, type Metric, plain } from './metric.ts';

/** A metric of the audio-output child; absent while it does not run. */
function output(
  type: Metric['type'],
  definition: Definition,
  read: (stats: OutputStats) => number,
): Metric {
  return plain(type, definition, ({ audioOutput }) => {
    const stats = audioOutput();
    return stats === undefined ? undefined : read(stats);
  });
}

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
  output(
    'gauge',
    [
      'earshot_audio_output_device_rate_hertz',
      'hertz',
      'Sample rate of the device; 0 while closed.',
    ],
    ({ deviceRateHz }) => deviceRateHz,
  ),
  output(
    'gauge',
    ['earshot_audio_output_device_channels', '1', 'Channels of the device; 0 while closed.'],
    ({ deviceChannels }) => deviceChannels,
  ),
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
    ['earshot_audio_output_xruns_total', '1', 'Overruns of the capture buffer (EPIPE).'],
    ({ xruns }) => xruns,
  ),
  output(
    'counter',
    ['earshot_audio_output_suspends_total', '1', 'Suspends of the device (ESTRPIPE).'],
    ({ suspends }) => suspends,
  ),
  output(
    'counter',
    ['earshot_audio_output_reopens_total', '1', 'Re-openings of the device.'],
    ({ reopens }) => reopens,
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
  output(
    'gauge',
    [
      'earshot_audio_output_peak_decibels',
      'decibels',
      'Peak of the last second in dBFS; −120 is silence.',
    ],
    ({ peakDbfs }) => peakDbfs,
  ),
  output(
    'gauge',
    ['earshot_audio_output_rms_decibels', 'decibels', 'RMS level of the last second in dBFS.'],
    ({ rmsDbfs }) => rmsDbfs,
  ),
  output(
    'gauge',
    ['earshot_audio_output_realtime', '1', '1 when the capture thread runs with SCHED_FIFO.'],
    ({ realtime }) => Number(realtime),
  ),
];
