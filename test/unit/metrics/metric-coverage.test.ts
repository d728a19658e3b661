import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inputStatsSchema } from '../../../src/audio/input/input-stats.ts';
import { outputStatsSchema } from '../../../src/audio/output/output-stats.ts';
import { entriesOf, schemaNode, unwrap } from '../../../src/errors/schema-words.ts';
import type { MetricSources } from '../../../src/metrics/metric-sources.ts';
import { metricTable } from '../../../src/metrics/metric-table.ts';
import { sampleSources } from '../../fixtures/metric-sources.ts';

/**
 * Every number that is reported shows in a metric: each field is changed alone, and what is exported
 * has to change with it.
 */

/** What is reported and on purpose in no metric, with the reason. */
const exceptions: Readonly<Record<string, string>> = {
  'media.sessionsActive': 'earshot_media_sessions counts them by state',
  'media.microphoneFramesDropped': 'the sum of microphoneDrops, which are exported by reason',
};

/** What is exported, as text. */
const exported = (sources: MetricSources): string =>
  JSON.stringify(
    metricTable
      // What the process asks the system changes by itself.
      .filter(({ name }) => !name.startsWith('earshot_process_'))
      .map(({ name, collect }) => [name, collect(sources)]),
  );

/** Another value than `value` that the field can have. */
function otherValue(value: unknown, options?: readonly unknown[]): unknown {
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, otherValue(each)]));
  }
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'boolean') return !value;
  return options?.find((option) => option !== value);
}

function shows(source: keyof MetricSources, report: object, field: string, other: unknown): void {
  assert.notEqual(other, undefined, `no other value for ${field} is known`);
  const changed = { ...sampleSources(), [source]: () => ({ ...report, [field]: other }) };
  assert.notEqual(
    exported(changed),
    exported(sampleSources()),
    `no metric shows ${field}; add one, or an exception with its reason`,
  );
}

const reports = [
  ['audioInput', inputStatsSchema, sampleSources().audioInput()],
  ['audioOutput', outputStatsSchema, sampleSources().audioOutput()],
] as const;

for (const [source, schema, report] of reports) {
  describe(`the report of ${source}`, () => {
    assert.ok(report);
    const values: Readonly<Record<string, unknown>> = report;
    for (const [field, node] of Object.entries(entriesOf(schemaNode(schema)) ?? {})) {
      if (`${source}.${field}` in exceptions) continue;
      it(`shows ${field} in a metric`, () => {
        shows(source, report, field, otherValue(values[field], unwrap(node).options));
      });
    }
  });
}

describe('the numbers of the media hub', () => {
  const media = sampleSources().media();
  for (const [field, value] of Object.entries(media)) {
    if (`media.${field}` in exceptions) continue;
    it(`show ${field} in a metric`, () => {
      shows('media', media, field, otherValue(value));
    });
  }
});
