import type { MeasuredLine } from '../measured-lines.ts';

/** The picture's lines of the chart. */
export const videoLines: readonly MeasuredLine[] = [
  {
    key: 'picture-rate',
    name: 'Pictures',
    unit: 'fps',
    digits: 0,
    leastMax: 30,
    valueOf: ({ video }) => video?.framesPerSecond,
  },
  {
    key: 'picture-bitrate',
    name: 'Picture bitrate',
    unit: 'kbps',
    digits: 0,
    leastMax: 500,
    valueOf: ({ video }) => video?.bitrateKbps,
  },
  {
    key: 'picture-buffer',
    name: 'Picture buffer',
    unit: 'ms',
    digits: 0,
    leastMax: 100,
    valueOf: ({ video }) => video?.jitterBufferMs,
  },
  {
    key: 'picture-loss',
    name: 'Picture lost',
    unit: '%',
    digits: 1,
    leastMax: 5,
    valueOf: ({ video }) => video?.lossPercent,
  },
];
