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

test('the page is five files under stable names', () => {
  assert.deepEqual([...files.keys()].sort(), [
    '/assets/main.js',
    '/assets/style.css',
    '/favicon-live.svg',
    '/favicon.svg',
    '/index.html',
  ]);
});

test('it is below 40 kB on the wire', () => {
  const bytes = [...files.values()].reduce((sum, text) => sum + gzipSync(text).length, 0);
  assert.ok(bytes < 40_000, `${bytes} bytes`);
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
