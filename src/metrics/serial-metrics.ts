import { type Metric, plain } from './metric.ts';

/** Metrics of the host's serial console. */
export const serialMetrics: readonly Metric[] = [
  plain(
    'gauge',
    ['earshot_serial_open', '1', '1 while the serial port is open; absent without one.'],
    ({ serial }) => {
      const { state } = serial();
      return state === 'none' ? undefined : Number(state === 'open');
    },
  ),
  plain(
    'counter',
    ['earshot_serial_received_bytes_total', 'bytes', 'Bytes from the host’s serial line.'],
    ({ serial }) => serial().bytesIn,
  ),
  plain(
    'counter',
    ['earshot_serial_sent_bytes_total', 'bytes', 'Bytes that the serial port took for the host.'],
    ({ serial }) => serial().bytesOut,
  ),
  plain(
    'counter',
    [
      'earshot_serial_refused_bytes_total',
      'bytes',
      'Bytes for the host that were dropped: the port was not open, or went away, or too many waited.',
    ],
    ({ serial }) => serial().refusedBytes,
  ),
  plain(
    'counter',
    [
      'earshot_serial_missed_bytes_total',
      'bytes',
      'Bytes from the host that slow consoles missed, summed over them.',
    ],
    ({ serial }) => serial().missedBytes,
  ),
  plain(
    'counter',
    ['earshot_serial_reopens_total', '1', 'Times the serial port was opened after the first.'],
    ({ serial }) => serial().reopens,
  ),
  plain(
    'counter',
    ['earshot_serial_breaks_total', '1', 'Breaks sent.'],
    ({ serial }) => serial().breaks,
  ),
  plain(
    'gauge',
    ['earshot_serial_consoles', '1', 'Consoles open now.'],
    ({ serial }) => serial().consoles,
  ),
  plain('gauge', ['earshot_serial_writer', '1', '1 while one of them may write.'], ({ serial }) =>
    Number(serial().writer !== null),
  ),
];
