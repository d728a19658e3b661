import type { MetricSources } from './metric-sources.ts';

/** One value of a metric, with its labels. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
  /** Which number of a histogram it is. */
  readonly part?: 'bucket' | 'sum' | 'count';
}

/** A distribution with its labels: how many lay at or below each bound, and in all. */
export interface Distribution {
  readonly labels: Readonly<Record<string, string>>;
  /** Upper bounds in seconds, ascending. */
  readonly boundsSeconds: readonly number[];
  /** Cumulative, one for each bound. */
  readonly counts: readonly number[];
  readonly count: number;
  readonly sumSeconds: number;
}

/** One metric as data: the registry, the documentation and the tests walk these. */
export interface Metric {
  /** Named as Prometheus asks: `earshot_`, the thing, its base unit, `_total` on counters. */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Base unit; `1` for a plain number. */
  readonly unit: 'seconds' | 'bytes' | 'ratio' | 'decibels' | 'hertz' | '1';
  readonly help: string;
  readonly labels: readonly string[];
  readonly collect: (sources: MetricSources) => readonly Sample[];
}

/** Name, unit and help of a metric. */
export type Definition = readonly [name: string, unit: Metric['unit'], help: string];

/** A metric of one value without labels; absent while `read` has none. */
export function plain(
  type: Metric['type'],
  [name, unit, help]: Definition,
  read: (sources: MetricSources) => number | undefined,
): Metric {
  return {
    name,
    type,
    unit,
    help,
    labels: [],
    collect: (sources) => {
      const value = read(sources);
      return value === undefined ? [] : [{ value }];
    },
  };
}

/** Makes a metric of one number of a report. */
export type StatsMetric<T> = (
  type: Metric['type'],
  definition: Definition,
  read: (stats: T) => number | undefined,
) => Metric;

/** Metrics of a report that is not always there; they are absent with it. */
export function fromStats<T>(report: (sources: MetricSources) => T | undefined): StatsMetric<T> {
  return (type, definition, read) =>
    plain(type, definition, (sources) => {
      const stats = report(sources);
      return stats === undefined ? undefined : read(stats);
    });
}

/** A metric with labels. */
export function labelled(
  type: Metric['type'],
  [name, unit, help]: Definition,
  labels: readonly string[],
  collect: Metric['collect'],
): Metric {
  return { name, type, unit, help, labels, collect };
}

/** A distribution that is counted elsewhere, as the buckets, the sum and the count of a histogram. */
export function histogram(
  [name, unit, help]: Definition,
  labels: readonly string[],
  read: (sources: MetricSources) => readonly Distribution[],
): Metric {
  return {
    name,
    type: 'histogram',
    unit,
    help,
    labels,
    collect: (sources) => read(sources).flatMap(samplesOf),
  };
}

function samplesOf({ labels, boundsSeconds, counts, count, sumSeconds }: Distribution): Sample[] {
  return [
    ...boundsSeconds.map(
      (bound, index): Sample => ({
        labels: { ...labels, le: String(bound) },
        value: counts[index] ?? 0,
        part: 'bucket',
      }),
    ),
    { labels: { ...labels, le: '+Inf' }, value: count, part: 'bucket' },
    { labels, value: sumSeconds, part: 'sum' },
    { labels, value: count, part: 'count' },
  ];
}

/** A time as Prometheus writes it; absent while it is 0, which stands for never. */
export function unixSeconds(unixMs: number): number | undefined {
  return unixMs === 0 ? undefined : unixMs / 1e3;
}
