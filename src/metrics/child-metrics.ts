import { labelled, type Metric } from './metric.ts';

const childStates = ['stopped', 'starting', 'running', 'stopping', 'backing-off', 'failed'];

/** Metrics of the child processes. */
export const childMetrics: readonly Metric[] = [
  labelled(
    'gauge',
    ['earshot_child_state', '1', '1 for the state a child process is in, 0 for the others.'],
    ['child', 'state'],
    ({ children }) =>
      children().flatMap(({ name, state }) =>
        childStates.map((each) => ({
          labels: { child: name, state: each },
          value: each === state ? 1 : 0,
        })),
      ),
  ),
  labelled(
    'counter',
    ['earshot_child_restarts_total', '1', 'Starts of a child process after unexpected exits.'],
    ['child'],
    ({ children }) =>
      children().map(({ name, restarts }) => ({ labels: { child: name }, value: restarts })),
  ),
  labelled(
    'gauge',
    [
      'earshot_child_cpu_ratio',
      'ratio',
      'CPU of a child process over the last second; 1 is one core.',
    ],
    ['child'],
    ({ children }) =>
      children().map(({ name, cpuPercent }) => ({
        labels: { child: name },
        value: cpuPercent / 100,
      })),
  ),
  labelled(
    'gauge',
    ['earshot_child_resident_memory_bytes', 'bytes', 'Resident memory of a child process.'],
    ['child'],
    ({ children }) =>
      children().map(({ name, rssBytes }) => ({ labels: { child: name }, value: rssBytes })),
  ),
];
