import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { buildWeb } from '../../scripts/build-web.ts';

let outDir: string;
const files = new Map<string, string>();

before(async () => {
  outDir = await mkdtemp(join(tmpdir(), 'earshot-web-'));
  await buildWeb({ outDir, minify: true });
  for (const entry of await readdir(outDir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(outDir.length), await readFile(path, 'utf8'));
  }
});

after(() => rm(outDir, { recursive: true, force: true }));

test('the page is seven files under stable names', () => {
  assert.deepEqual([...files.keys()].sort(), [
    '/assets/fast-lane-worker.js',
    '/assets/fast-lane-worklet.js',
    '/assets/main.js',
    '/assets/style.css',
    '/favicon-live.svg',
    '/favicon.svg',
    '/index.html',
  ]);
});

/** Bytes on the wire of the files whose path is chosen. */
function wireBytes(isChosen: (path: string) => boolean): number {
  return [...files].reduce(
    (sum, [path, text]) => (isChosen(path) ? sum + gzipSync(text).length : sum),
    0,
  );
}

test('it is below 48 kB on the wire', () => {
  const bytes = wireBytes((path) => !path.includes('fast-lane'));
  assert.ok(bytes < 48_000, `${bytes} bytes`);
});

test('the parts of the fast lane, which are loaded when it starts, are below 20 kB', () => {
  const bytes = wireBytes((path) => path.includes('fast-lane'));
  assert.ok(bytes < 20_000, `${bytes} bytes`);
});

test('the parts of the fast lane stand alone: neither a worker nor a worklet imports', () => {
  for (const part of ['worker', 'worklet']) {
    const script = files.get(`/assets/fast-lane-${part}.js`) ?? '';
    assert.ok(script.length > 1_000);
    assert.doesNotMatch(script, /\b(import|require)\b|^export/);
  }
});

test('the document has no script or style of its own, which the content security policy forbids', () => {
  const html = files.get('/index.html') ?? '';
  assert.match(html, /<script type="module" src="\/assets\/main\.js"><\/script>/);
  assert.doesNotMatch(html, /<style|style=|<script>|\son\w+=/);
  assert.doesNotMatch(files.get('/favicon.svg') ?? '', /<style|style=|<script/);
});

test('nothing is loaded from elsewhere', () => {
  assert.doesNotMatch(files.get('/index.html') ?? '', /(?:src|href)="(?!\/)/);
  assert.doesNotMatch(files.get('/assets/style.css') ?? '', /@import|url\("?(?!"?\/favicon)/);
});
