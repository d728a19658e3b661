import { labelled, type Metric, plain } from './metric.ts';

/** Metrics of the host's buttons and LEDs. */
export const powerMetrics: readonly Metric[] = [
  plain(
    'gauge',
    ['earshot_power_ready', '1', '1 while the power board answers; absent without one.'],
    ({ power }) => {
      const { state } = power();
      return state === 'none' ? undefined : Number(state === 'ready');
    },
  ),
  plain(
    'gauge',
    [
      'earshot_power_led',
      '1',
      '1 while the host’s power LED is lit; absent while that is unknown.',
    ],
    ({ power }) => {
      const { powerLed } = power();
      return powerLed === 'unknown' ? undefined : Number(powerLed === 'on');
    },
  ),
  plain(
    'gauge',
    [
      'earshot_power_disk_busy_ratio',
      'ratio',
      'Share of the last second that the host’s disk LED was lit; absent without one.',
    ],
    ({ power }) => power().diskBusy ?? undefined,
  ),
  labelled(
    'counter',
    ['earshot_power_presses_total', '1', 'Presses of the host’s buttons, by what came of them.'],
    ['result'],
    ({ power }) =>
      Object.entries(power().presses).map(([result, value]) => ({ labels: { result }, value })),
  ),
  plain(
    'counter',
    ['earshot_power_wakes_total', '1', 'Machines woken by Wake-on-LAN.'],
    ({ power }) => power().wakes,
  ),
  plain(
    'counter',
    [
      'earshot_power_garbled_lines_total',
      '1',
      'Lines of the power board that could not be read: noise, a wrong rate, a wrong checksum.',
    ],
    ({ power }) => power().garbledLines,
  ),
];
