import type { Metric, StatsMetric } from './metric.ts';

/** What the reports of both audio children have in common: their sound card. */
interface DeviceStats {
  readonly deviceRateHz: number;
  readonly deviceChannels: number;
  readonly xruns: number;
  readonly suspends: number;
  readonly reopens: number;
  readonly peakDbfs: number;
  readonly rmsDbfs: number;
  readonly realtime: boolean;
}

/** Metrics of the sound card of one direction. */
export function soundDeviceMetrics(options: {
  /** Begins their names, e.g. `earshot_audio_output`. */
  readonly prefix: string;
  readonly metric: StatsMetric<DeviceStats>;
  readonly xruns: string;
  readonly thread: string;
}): readonly Metric[] {
  const { prefix, metric, xruns, thread } = options;
  return [
    metric(
      'gauge',
      [`${prefix}_device_rate_hertz`, 'hertz', 'Sample rate of the device; 0 while closed.'],
      ({ deviceRateHz }) => deviceRateHz,
    ),
    metric(
      'gauge',
      [`${prefix}_device_channels`, '1', 'Channels of the device; 0 while closed.'],
      ({ deviceChannels }) => deviceChannels,
    ),
    metric('counter', [`${prefix}_xruns_total`, '1', xruns], (stats) => stats.xruns),
    metric(
      'counter',
      [`${prefix}_suspends_total`, '1', 'Suspends of the device (ESTRPIPE).'],
      ({ suspends }) => suspends,
    ),
    metric(
      'counter',
      [`${prefix}_reopens_total`, '1', 'Re-openings of the device.'],
      ({ reopens }) => reopens,
    ),
    metric(
      'gauge',
      [`${prefix}_peak_decibels`, 'decibels', 'Peak of the last second in dBFS; −120 is silence.'],
      ({ peakDbfs }) => peakDbfs,
    ),
    metric(
      'gauge',
      [`${prefix}_rms_decibels`, 'decibels', 'RMS level of the last second in dBFS.'],
      ({ rmsDbfs }) => rmsDbfs,
    ),
    metric(
      'gauge',
      [`${prefix}_realtime`, '1', `1 when the ${thread} thread runs with SCHED_FIFO.`],
      ({ realtime }) => Number(realtime),
    ),
  ];
}
