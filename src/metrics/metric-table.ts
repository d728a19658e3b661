import { apiMetrics } from './api-metrics.ts';
import { audioInputMetrics } from './audio-input-metrics.ts';
import { audioOutputMetrics } from './audio-output-metrics.ts';
import { childMetrics } from './child-metrics.ts';
import { fastLaneMetrics } from './fast-lane-metrics.ts';
import { hidMetrics } from './hid-metrics.ts';
import { ipcMetrics } from './ipc-metrics.ts';
import { mediaMetrics } from './media-metrics.ts';
import type { Metric } from './metric.ts';
import { microphoneMetrics } from './microphone-metrics.ts';
import { powerMetrics } from './power-metrics.ts';
import { processMetrics } from './process-metrics.ts';
import { serialMetrics } from './serial-metrics.ts';
import { videoMetrics } from './video-metrics.ts';

/** Every metric Earshot exports, in the order of the documentation. */
export const metricTable: readonly Metric[] = [
  ...childMetrics,
  ...audioOutputMetrics,
  ...microphoneMetrics,
  ...audioInputMetrics,
  ...videoMetrics,
  ...mediaMetrics,
  ...fastLaneMetrics,
  ...hidMetrics,
  ...serialMetrics,
  ...powerMetrics,
  ...ipcMetrics,
  ...apiMetrics,
  ...processMetrics,
];
