import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { docsSections } from '../../scripts/docs-sections.ts';
import { fillSection } from '../../scripts/fill-section.ts';
import { routes } from '../../src/api/routes/all.ts';
import { commandTable } from '../../src/cli/command-table.ts';
import { configSchema } from '../../src/config/schema.ts';
import { settingsSchema } from '../../src/config/settings-schema.ts';
import { errorCatalogue } from '../../src/errors/catalogue.ts';
import { entriesOf, type SchemaNode, schemaNode } from '../../src/errors/schema-words.ts';
import { metricTable } from '../../src/metrics/metric-table.ts';

const read = (file: string): string =>
  readFileSync(new URL(`../../docs/${file}`, import.meta.url), 'utf8');

/** Rows of the document's tables, by their first cell without its backticks. */
function rows(file: string): Map<string, string[]> {
  const lines = read(file).split('\n');
  const found = new Map<string, string[]>();
  for (const line of lines.filter((each) => each.startsWith('| `'))) {
    const cells = line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim());
    const name = (cells[0] ?? '').replaceAll('`', '');
    // A setting may have the name of the configuration key that it is chosen over; that comes first.
    if (!found.has(name)) found.set(name, cells);
  }
  return found;
}

function keys(node: SchemaNode, path = ''): string[] {
  const entries = entriesOf(node);
  if (entries === undefined || path === 'audioOutput.custom') return [path];
  return Object.entries(entries).flatMap(([name, entry]) =>
    keys(entry, path === '' ? name : `${path}.${name}`),
  );
}

describe('the generated documentation', () => {
  for (const { file, name, text } of docsSections) {
    it(`docs/${file} has ${name} as it is now (otherwise: make docs)`, () => {
      const document = read(file);
      assert.equal(document, fillSection(document, name, text()));
    });
  }
});

describe('a line of documentation', () => {
  const errors = rows('errors.md');
  for (const [code, { http, exit }] of Object.entries(errorCatalogue)) {
    it(`for the error ${code}`, () => {
      const [, status, exitCode, text = ''] = errors.get(code) ?? [];
      assert.deepEqual([status, exitCode], [String(http), String(exit)]);
      assert.match(text, /^[A-Z].{15,}\.$/);
    });
  }

  const metrics = rows('metrics.md');
  for (const { name, type } of metricTable) {
    it(`for the metric ${name}`, () => {
      assert.equal(metrics.get(name)?.[1], type);
      assert.match(metrics.get(name)?.[4] ?? '', /\.$/);
    });
  }

  const configuration = rows('configuration.md');
  for (const key of keys(schemaNode(configSchema))) {
    it(`for the configuration key ${key}`, () => {
      const [, allowed = '', value = '', text = ''] = configuration.get(key) ?? [];
      assert.notEqual(allowed, '');
      assert.notEqual(value, '');
      assert.match(text, /^[A-Z].{10,}\.$/);
    });
  }
  for (const key of keys(schemaNode(settingsSchema))) {
    it(`for the setting ${key}`, () => assert.ok(configuration.has(key)));
  }

  const api = read('api.md');
  for (const { method, path, summary } of routes) {
    it(`for ${method} ${path}`, () => {
      assert.ok(api.includes(`### ${method} ${path}\n\n${summary}`));
    });
  }

  const cli = read('cli.md');
  for (const { words, summary, options } of commandTable) {
    it(`for the command ${words.join(' ')}`, () => {
      const from = cli.indexOf(`### ${words.join(' ')}\n`);
      assert.notEqual(from, -1);
      const section = cli.slice(from, cli.indexOf('\n### ', from + 1));
      assert.ok(section.includes(summary));
      for (const option of Object.keys(options)) assert.ok(section.includes(`--${option}`), option);
    });
  }

  it('names no error code, metric or route that does not exist', () => {
    const codes = [...errors.keys()];
    const names = [...metrics.keys()];
    const headings = [...api.matchAll(/^### ((?:GET|POST|DELETE) \S+)$/gm)].map(
      ([, heading]) => heading,
    );
    assert.deepEqual(codes, Object.keys(errorCatalogue));
    const known = new Set(metricTable.map(({ name }) => name));
    const named = read('metrics.md').matchAll(/\bearshot_\w*[a-z]\b(?!…)/g);
    const unknown = [...named].map(([name]) => name).filter((name) => !known.has(name));
    assert.deepEqual(unknown, []);
    assert.deepEqual(
      names,
      metricTable.map(({ name }) => name),
    );
    assert.deepEqual(
      headings,
      routes.map(({ method, path }) => `${method} ${path}`),
    );
  });
});

describe('fillSection', () => {
  const document = 'a\n<!-- generated: x (make docs) -->\nold\n<!-- end: x -->\nb\n';

  it('replaces what is between the marks, the same each time', () => {
    const once = fillSection(document, 'x', 'new');
    assert.match(once, /^a\n<!-- generated.*-->\n\nnew\n\n<!-- end: x -->\nb\n$/s);
    assert.equal(fillSection(once, 'x', 'new'), once);
  });

  it('refuses a document without the marks', () => {
    assert.throws(() => fillSection(document, 'y', 'new'), /generated: y/);
  });
});
