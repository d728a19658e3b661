import type { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Metric } from './metric.ts';
import type { MetricSources } from './metric-sources.ts';
import { metricTable } from './metric-table.ts';

export interface Metrics {
  /** Every metric in the Prometheus text exposition format, version 0.0.4. */
  text(): Promise<string>;
}

/**
 * The metrics of the main process. The numbers live where they are counted and are read at each
 * scrape; prom-client, which only a scrape needs, is loaded at the first one.
 */
export function createMetrics({ sources }: { readonly sources: MetricSources }): Metrics {
  let registry: Promise<Registry> | undefined;
  return {
    text: async () => {
      registry ??= createRegistry(sources);
      return (await registry).metrics();
    },
  };
}

async function createRegistry(sources: MetricSources): Promise<Registry> {
  const client = await import('prom-client');
  const registry = new client.Registry();
  for (const metric of metricTable) {
    const { name, help } = metric;
    const common = { name, help, labelNames: [...metric.labels], registers: [registry] };
    if (metric.type === 'gauge') {
      new client.Gauge({
        ...common,
        collect() {
          fillGauge(this, metric, sources);
        },
      });
    } else if (metric.type === 'histogram') {
      showHistogram(new client.Histogram(common), metric, sources);
    } else {
      new client.Counter({
        ...common,
        collect() {
          fillCounter(this, metric, sources);
        },
      });
    }
  }
  return registry;
}

function fillGauge(gauge: Gauge, metric: Metric, sources: MetricSources): void {
  gauge.reset();
  if (metric.labels.length === 0) gauge.remove();
  for (const { labels = {}, value } of metric.collect(sources)) gauge.set(labels, value);
}

/** A counter is set by starting it anew; the source is what counts. */
function fillCounter(counter: Counter, metric: Metric, sources: MetricSources): void {
  counter.reset();
  if (metric.labels.length === 0) counter.remove();
  for (const { labels = {}, value } of metric.collect(sources)) counter.inc(labels, value);
}

/** prom-client's histogram counts what it observes; the source is what counts, and is shown in its place. */
function showHistogram(histogram: Histogram, metric: Metric, sources: MetricSources): void {
  const { name, help, type } = metric;
  Reflect.set(histogram, 'getForPromString', async () => ({
    name,
    help,
    type,
    values: metric.collect(sources).map(({ labels = {}, value, part = 'count' }) => {
      return { metricName: `${name}_${part}`, labels, value };
    }),
    aggregator: 'sum',
  }));
}
