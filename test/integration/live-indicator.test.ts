import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { LiveIndicator } from '../../src/audio/input/live-indicator.ts';
import { type Log, silentLog } from '../../src/log/log.ts';
import { waitFor } from '../fixtures/wait-for.ts';

let dir: string;
let reasons: unknown[];
let log: Log;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'earshot-indicator-'));
  reasons = [];
  log = { ...silentLog, warn: (fields) => reasons.push(fields['reason']) };
});

afterEach(async () => {
  await rm(dir, { recursive: true });
});

async function script(text: string): Promise<string> {
  const path = join(dir, 'led');
  await writeFile(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return path;
}

test('a real file and a real program follow the state', async () => {
  const sysfs = join(dir, 'brightness');
  await writeFile(sysfs, '1');
  const told = join(dir, 'told');
  const program = await script(`echo "$@" >> "${told}"`);
  const indicator = new LiveIndicator({ sysfs, command: [program, 'a; b', '$(id)'], log });
  await indicator.start();
  assert.equal(await readFile(sysfs, 'utf8'), '0');
  indicator.show(true);
  await waitFor('on', async () => (await readFile(told, 'utf8')).endsWith('on\n'));
  await waitFor('1', async () => (await readFile(sysfs, 'utf8')) === '1');
  await indicator.stop();
  assert.equal(await readFile(sysfs, 'utf8'), '0');
  const lines = (await readFile(told, 'utf8')).trim().split('\n');
  assert.deepEqual(
    lines,
    ['off', 'on', 'off'].map((word) => `a; b $(id) ${word}`),
    'no shell reads the arguments',
  );
  assert.deepEqual(reasons, []);
});

test('a program that hangs is ended, and stop does not hang with it', async () => {
  // The sleeping grandchild holds the pipes open.
  const indicator = new LiveIndicator({ command: [await script('sleep 5')], log });
  await indicator.start();
  await indicator.stop();
  assert.deepEqual(reasons, ['no end within 2000 ms']);
});

test('a program that fails, is missing, or a file that is missing is told once each', async () => {
  const failing = new LiveIndicator({ command: [await script('echo no LED >&2; exit 3')], log });
  await failing.start();
  await failing.stop();
  const missing = new LiveIndicator({
    sysfs: join(dir, 'none', 'brightness'),
    command: [join(dir, 'nothing')],
    log,
  });
  await missing.start();
  await missing.stop();
  assert.equal(reasons.length, 3);
  assert.match(String(reasons[0]), /^exit code 3: no LED$/);
  assert.match(reasons.slice(1).sort().join(), /ENOENT.*brightness.*ENOENT/);
});
