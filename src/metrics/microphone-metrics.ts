import { type Metric, plain, unixSeconds } from './metric.ts';

/** Metrics of who holds the microphone, and of the holder’s sound on its way in. */
export const microphoneMetrics: readonly Metric[] = [
  plain(
    'gauge',
    ['earshot_microphone_held', '1', '1 while a viewer holds the microphone.'],
    ({ microphone }) => Number(microphone().status.holder !== null),
  ),
  plain(
    'gauge',
    ['earshot_microphone_connected', '1', '1 while the holder’s sound arrives.'],
    ({ microphone }) => Number(microphone().status.connected),
  ),
  plain(
    'gauge',
    [
      'earshot_microphone_live',
      '1',
      '1 while the host hears a viewer: held, connected, not muted.',
    ],
    ({ microphone }) => Number(microphone().status.live),
  ),
  plain(
    'gauge',
    ['earshot_microphone_muted', '1', '1 while the holder is muted on the device.'],
    ({ microphone }) => Number(microphone().status.muted),
  ),
  plain(
    'counter',
    [
      'earshot_microphone_connection_drops_total',
      '1',
      'Times the holder’s sound stopped arriving.',
    ],
    ({ microphone }) => microphone().metrics.connectionDrops,
  ),
  plain(
    'gauge',
    [
      'earshot_microphone_last_frame_time_seconds',
      'seconds',
      'When the holder’s last packet arrived, Unix time; absent before the first.',
    ],
    ({ microphone }) => unixSeconds(microphone().metrics.lastFrameUnixMs),
  ),
];
