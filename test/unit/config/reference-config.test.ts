import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parseDocument } from 'yaml';
import { parseConfig } from '../../../src/config/load-config.ts';
import { configSchema } from '../../../src/config/schema.ts';
import { entriesOf, type SchemaNode, schemaNode } from '../../../src/errors/schema-words.ts';

const text = readFileSync(new URL('../../../config/earshot.yaml', import.meta.url), 'utf8');

/** Paths of every key that is no section. */
function keyPaths(node: SchemaNode, path: readonly string[] = []): string[][] {
  const entries = entriesOf(node);
  if (entries === undefined) return [[...path]];
  return Object.entries(entries).flatMap(([key, entry]) => keyPaths(entry, [...path, key]));
}

describe('config/earshot.yaml', () => {
  const document = parseDocument(text);

  for (const path of keyPaths(schemaNode(configSchema))) {
    it(`has ${path.join('.')}`, () => assert.ok(document.hasIn(path)));
  }

  it('gives every key its default', () => {
    assert.deepEqual(document.toJS(), parseConfig('', 'defaults'));
  });

  it('explains every key in a comment before it', () => {
    const lines = text.split('\n');
    for (const [index, line] of lines.entries()) {
      if (!/^\s*\w+: \S/.test(line)) continue;
      const before = lines[index - 1] ?? '';
      const second = /udpPortMax|bufferMs/.test(line) || before.trim().startsWith('#');
      assert.ok(second, `no comment above: ${line}`);
    }
  });
});
