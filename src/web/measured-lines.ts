import type { Point } from './chart.ts';
import type { DelayMethod } from './delay.ts';
import type { Measurement } from './history.ts';

/** One line of the chart. */
export interface MeasuredLine {
  readonly key: string;
  readonly name: string;
  readonly unit: string;
  readonly digits: number;
  /** The scale's end is never below this, so that noise near zero does not look like an event. */
  readonly leastMax: number;
  readonly valueOf: (measurement: Measurement) => number | undefined;
}

export const measuredLines: readonly MeasuredLine[] = [
  {
    key: 'delay',
    name: 'Delay',
    unit: 'ms',
    digits: 0,
    leastMax: 100,
    valueOf: ({ delay }) => delay?.ms,
  },
  {
    key: 'jitter-buffer',
    name: 'Jitter buffer',
    unit: 'ms',
    digits: 0,
    leastMax: 100,
    valueOf: ({ jitterBufferMs }) => jitterBufferMs,
  },
  {
    key: 'loss',
    name: 'Packets lost',
    unit: '%',
    digits: 1,
    leastMax: 5,
    valueOf: ({ lossPercent }) => lossPercent,
  },
  {
    key: 'concealed',
    name: 'Concealed',
    unit: '%',
    digits: 1,
    leastMax: 5,
    valueOf: ({ concealedPercent }) => concealedPercent,
  },
  {
    key: 'bitrate',
    name: 'Bitrate',
    unit: 'kbps',
    digits: 0,
    leastMax: 50,
    valueOf: ({ bitrateKbps }) => bitrateKbps,
  },
];

export function pointsOf(line: MeasuredLine, history: readonly Measurement[]): Point[] {
  return history.map((measurement) => ({
    atMs: measurement.atMs,
    value: line.valueOf(measurement),
  }));
}

/** How the delay was come by, for the reader who wants to know what the number means. */
export const delayMethodTexts = {
  ping: 'Delay is measured, with the device’s clock and this browser’s tied by a ping.',
  'capture-time': 'Delay is measured, from the capture time that travels with each packet.',
  'sender-report': 'Delay is measured, from the device’s sender reports.',
  sum: 'Delay is an estimate: one frame, half the round trip, jitter buffer and playout added up.',
} as const satisfies Readonly<Record<DelayMethod, string>>;

/** The lanes' names. */
export const laneNames = { fast: 'fast lane', track: 'track' } as const;
