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

test('the page is fourteen files under stable names', () => {
  assert.deepEqual([...files.keys()].sort(), [
    '/assets/chirp-worklet.js',
    '/assets/chunk.js',
    '/assets/control-entry.js',
    '/assets/control.css',
    '/assets/fast-lane-worker.js',
    '/assets/fast-lane-worklet.js',
    '/assets/main.js',
    '/assets/picture-entry.js',
    '/assets/style.css',
    '/assets/terminal-entry.js',
    '/assets/terminal.css',
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

const loadedLater = /fast-lane|picture-entry|chirp-worklet|control|terminal/;

test('it is below 48 kB on the wire', () => {
  const bytes = wireBytes((path) => !loadedLater.test(path));
  assert.ok(bytes < 48_000, `${bytes} bytes`);
});

test('the parts of the fast lane, which are loaded when it starts, are below 20 kB', () => {
  const bytes = wireBytes((path) => path.includes('fast-lane'));
  assert.ok(bytes < 20_000, `${bytes} bytes`);
});

test('what shows the picture, which is loaded where the device has one, is below 10 kB', () => {
  const bytes = wireBytes((path) => /picture-entry|chirp-worklet/.test(path));
  assert.ok(bytes < 10_000, `${bytes} bytes`);
});

test('what controls the host, which is loaded once the page is there, is below 34 kB', () => {
  const bytes = wireBytes((path) => path.includes('control'));
  assert.ok(bytes < 34_000, `${bytes} bytes`);
});

test('the terminal, which is loaded when a console is opened, is below 95 kB', () => {
  const bytes = wireBytes((path) => path.includes('terminal'));
  assert.ok(bytes < 95_000, `${bytes} bytes`);
});

test('what controls the host stands beside the page, and the terminal beside that', () => {
  const imports = (name: string) => [
    ...new Set((files.get(`/assets/${name}.js`) ?? '').match(/\bimport\("[^"]+"\)/g)),
  ];
  assert.deepEqual(imports('main').sort(), [
    'import("./control-entry.js")',
    'import("./picture-entry.js")',
  ]);
  assert.deepEqual(imports('control-entry'), ['import("./terminal-entry.js")']);
  for (const name of ['control-entry', 'terminal-entry']) {
    assert.doesNotMatch(files.get(`/assets/${name}.js`) ?? '', /(?:^|[;}])import[{"]/);
  }
});

test('a page without a picture does not load what shows it, and names what it loads', () => {
  const main = files.get('/assets/main.js') ?? '';
  assert.match(main, /import\("\.\/picture-entry\.js"\)/);
  assert.deepEqual(
    [...main.matchAll(/^import\{[^}]+\}from"([^"]+)"/gm)].map(([, path]) => path),
    ['./chunk.js'],
  );
  const html = files.get('/index.html') ?? '';
  assert.match(html, /<link rel="modulepreload" href="\/assets\/chunk\.js" \/>/);
});

test('the parts of the audio thread and the worker stand alone: they import nothing', () => {
  for (const part of ['fast-lane-worker', 'fast-lane-worklet', 'chirp-worklet']) {
    const script = files.get(`/assets/${part}.js`) ?? '';
    assert.ok(script.length > 1_000);
    assert.doesNotMatch(script, /\b(import|require)\b|^export/);
  }
});

test('a schema that the page does not use is not in it', () => {
  const scripts = [...files.values()].join();
  assert.match(scripts, /av_segment_diagnostic/);
  // Of what the device checks, and of what its children say.
  assert.doesNotMatch(scripts, /device-opened/);
});

test('the document has no script or style of its own, which the content security policy forbids', () => {
  const html = files.get('/index.html') ?? '';
  assert.match(html, /<script type="module" src="\/assets\/main\.js"><\/script>/);
  assert.doesNotMatch(html, /<style|style=|<script>|\son\w+=/);
  assert.doesNotMatch(files.get('/favicon.svg') ?? '', /<style|style=|<script/);
});

test('nothing is loaded from elsewhere', () => {
  assert.doesNotMatch(files.get('/index.html') ?? '', /(?:src|href)="(?!\/)/);
  for (const name of ['style', 'control', 'terminal']) {
    const style = files.get(`/assets/${name}.css`) ?? '';
    assert.ok(style.length > 1_000);
    assert.doesNotMatch(style, /@import|url\("?(?!"?\/favicon)/);
  }
});
