import { performance } from 'node:perf_hooks';
import { labelled, type Metric, plain } from './metric.ts';

/** Metrics of the main process itself. */
export const processMetrics: readonly Metric[] = [
  labelled(
    'gauge',
    ['earshot_build_info', '1', 'Always 1; the labels name the release and its runtime.'],
    ['version', 'node'],
    ({ version }) => [{ labels: { version, node: process.version }, value: 1 }],
  ),
  plain(
    'gauge',
    ['earshot_process_start_time_seconds', 'seconds', 'When the main process started, Unix time.'],
    () => performance.timeOrigin / 1e3,
  ),
  plain(
    'counter',
    ['earshot_process_cpu_seconds_total', 'seconds', 'CPU time of the main process.'],
    () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    },
  ),
  plain(
    'gauge',
    ['earshot_process_resident_memory_bytes', 'bytes', 'Resident memory of the main process.'],
    () => process.memoryUsage.rss(),
  ),
  plain(
    'gauge',
    ['earshot_process_heap_used_bytes', 'bytes', 'JavaScript heap in use in the main process.'],
    () => process.memoryUsage().heapUsed,
  ),
  plain(
    'gauge',
    [
      'earshot_process_event_loop_utilization_ratio',
      'ratio',
      'Share of time the main process’s event loop was busy since it started.',
    ],
    () => performance.eventLoopUtilization().utilization,
  ),
];
