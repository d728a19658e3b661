import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Settings } from '../../src/config/settings-schema.ts';
import { SettingsStore } from '../../src/config/settings-store.ts';
import { silentLog } from '../../src/log/log.ts';

const writer = fileURLToPath(new URL('../fixtures/settings-writer.ts', import.meta.url));

let root = '';
let count = 0;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'earshot-settings-'));
});
after(() => rm(root, { recursive: true }));

/** A store in a directory of its own. */
async function freshStore(content?: string) {
  count += 1;
  const dataDir = join(root, String(count));
  if (content !== undefined) {
    await mkdir(dataDir);
    await writeFile(join(dataDir, 'settings.json'), content);
  }
  const store = new SettingsStore({ dataDir, log: silentLog });
  await store.load();
  return { store, dataDir, file: join(dataDir, 'settings.json') };
}

const mute = (settings: Settings): Settings => ({
  ...settings,
  audioOutput: { ...settings.audioOutput, muted: true },
});

function quality(name: Settings['audioOutput']['quality']) {
  return (settings: Settings): Settings => ({
    ...settings,
    audioOutput: { ...settings.audioOutput, quality: name },
  });
}

const controlDefaults = {
  hid: { jiggler: { enabled: false, seconds: 60 }, macros: [] },
  serial: {},
};

describe('SettingsStore', () => {
  it('begins with defaults and makes its directory', async () => {
    const { store, dataDir } = await freshStore();
    assert.deepEqual(store.current(), {
      version: 1,
      audioOutput: { quality: 'medium', muted: false },
      audioInput: { quality: 'medium' },
      ...controlDefaults,
    });
    assert.equal(store.recovered, undefined);
    assert.deepEqual(await readdir(dataDir), []);
  });

  it('keeps a change for the next start', async () => {
    const { store, dataDir } = await freshStore();
    await store.update(mute);
    const next = new SettingsStore({ dataDir, log: silentLog });
    await next.load();
    assert.equal(next.current().audioOutput.muted, true);
    assert.deepEqual(await readdir(dataDir), ['settings.json']);
  });

  it('applies changes one after another, each on the one before', async () => {
    const { store, file } = await freshStore();
    await Promise.all([
      store.update(mute),
      store.update(quality('ultra')),
      store.update(quality('low')),
    ]);
    assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), {
      version: 1,
      audioOutput: { quality: 'low', muted: true },
      audioInput: { quality: 'medium' },
      ...controlDefaults,
    });
  });

  it('does not write when nothing changes', async () => {
    const { store, dataDir } = await freshStore();
    await store.update((settings) => ({ ...settings }));
    assert.deepEqual(await readdir(dataDir), []);
  });

  it('goes on after a change that throws', async () => {
    const { store } = await freshStore();
    const failing = store.update(() => {
      throw new Error('no');
    });
    const next = store.update(mute);
    await assert.rejects(failing, /no/);
    assert.equal((await next).audioOutput.muted, true);
  });

  it('refuses what it could not read at the next start, and keeps all that was', async () => {
    const { store, dataDir } = await freshStore();
    await store.update(mute);
    // No input is that large: whatever grows beyond its bounds some day must not take the rest with it.
    const step = { text: '€'.repeat(1_000), layout: 'de' } as const;
    const macros = Array.from({ length: 32 }, (_, index) => ({
      name: `macro-${index}`,
      steps: Array(100).fill(step),
    }));
    await assert.rejects(
      store.update((settings) => ({ ...settings, hid: { ...settings.hid, macros } })),
      /would have \d+ bytes; at most 2097152/,
    );
    const next = new SettingsStore({ dataDir, log: silentLog });
    await next.load();
    assert.equal(next.recovered, undefined);
    assert.equal(next.current().audioOutput.muted, true);
  });

  const unusable: [name: string, content: string, reason: RegExp][] = [
    ['an empty file', '', /JSON/],
    ['half a file', '{"version":1,"audioOutput":{"qual', /JSON/],
    ['zeros', '\0'.repeat(200), /JSON/],
    ['a list', '[]', /not a JSON object/],
    ['another type', '{"version":1,"audioOutput":{"muted":"yes"}}', /audioOutput.muted: yes/],
    ['an unknown key', '{"version":1,"volume":1}', /volume: unknown key/],
    ['an unknown preset', '{"version":1,"audioOutput":{"quality":"turbo"}}', /turbo/],
    ['a version from the future', '{"version":2}', /has version 2; this release knows up to 1/],
    ['no version', '{}', /has version none/],
    ['a file that is too large', ' '.repeat(2_097_153), /2097153 bytes/],
  ];
  for (const [name, content, reason] of unusable) {
    it(`sets aside ${name}, says so and uses defaults`, async () => {
      const { store, dataDir, file } = await freshStore(content);
      assert.equal(store.current().audioOutput.quality, 'medium');
      assert.match(store.recovered?.reason ?? '', reason);
      assert.equal(store.recovered?.setAside, `${file}.corrupt-1`);
      assert.deepEqual(await readdir(dataDir), ['settings.json.corrupt-1']);
      assert.equal(await readFile(`${file}.corrupt-1`, 'utf8'), content);
      await store.update(mute);
      assert.equal(store.current().audioOutput.muted, true);
    });
  }

  it('keeps the five newest unusable files', async () => {
    const { dataDir, file } = await freshStore('0');
    for (let n = 1; n <= 7; n += 1) {
      await writeFile(file, String(n));
      await new SettingsStore({ dataDir, log: silentLog }).load();
    }
    const names = await readdir(dataDir);
    assert.deepEqual(
      names.sort(),
      [4, 5, 6, 7, 8].map((n) => `settings.json.corrupt-${n}`),
    );
    assert.equal(await readFile(`${file}.corrupt-8`, 'utf8'), '7');
  });

  it('removes what an interrupted write left', async () => {
    const { dataDir } = await freshStore('{"version":1}');
    await writeFile(join(dataDir, 'settings.json.tmp'), '{"half');
    const store = new SettingsStore({ dataDir, log: silentLog });
    await store.load();
    assert.equal(store.recovered, undefined);
    assert.deepEqual(await readdir(dataDir), ['settings.json']);
  });

  it('refuses to write through a symbolic link, state unchanged', async () => {
    const { store, dataDir } = await freshStore('{"version":1}');
    const elsewhere = join(root, 'elsewhere');
    await writeFile(elsewhere, 'precious');
    await symlink(elsewhere, join(dataDir, 'settings.json.tmp'));
    await assert.rejects(store.update(mute), { code: 'SETTINGS_WRITE_FAILED' });
    assert.equal(store.current().audioOutput.muted, false);
    assert.equal(await readFile(elsewhere, 'utf8'), 'precious');
  });

  it('fails with SETTINGS_WRITE_FAILED, state unchanged, where it cannot write', async () => {
    // A file where the directory belongs: not writable for root either.
    const dataDir = join(root, 'a-file');
    await writeFile(dataDir, '');
    const store = new SettingsStore({ dataDir, log: silentLog });
    await store.load();
    await assert.rejects(store.update(mute), { code: 'SETTINGS_WRITE_FAILED' });
    assert.equal(store.current().audioOutput.muted, false);
    await rm(dataDir);
    await mkdir(dataDir);
    await store.update(mute);
    assert.equal(store.current().audioOutput.muted, true);
  });

  it('fails the same in a read-only directory', {
    skip: process.getuid?.() === 0 && 'root may write anywhere',
  }, async () => {
    const { store, dataDir } = await freshStore('{"version":1}');
    await chmod(dataDir, 0o500);
    await assert.rejects(store.update(mute), { code: 'SETTINGS_WRITE_FAILED' });
    await chmod(dataDir, 0o700);
  });

  it('is whole after kill -9 at any moment of writing, and has every acknowledged change', async () => {
    const dataDir = join(root, 'killed');
    for (let round = 0; round < 12; round += 1) {
      const child = spawn(process.execPath, [writer, dataDir], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const exited = once(child, 'exit');
      const deadline = AbortSignal.timeout(30_000);
      let acknowledged = 0;
      let seen = 0;
      const lines = createInterface({ input: child.stdout });
      lines.on('line', (line) => {
        acknowledged = Number(line);
        seen += 1;
        // Killed at another point of the write each round, since the child goes on meanwhile.
        if (seen === 3 + round * 2) child.kill('SIGKILL');
      });
      await Promise.all([exited, once(lines, 'close', { signal: deadline })]);
      const store = new SettingsStore({ dataDir, log: silentLog });
      await store.load();
      assert.equal(store.recovered, undefined);
      const [head, , tail] = (store.current().audioOutput.device ?? '').split('-');
      assert.equal(head, tail);
      assert.ok(Number(head) >= acknowledged, `${head} is older than ${acknowledged}`);
      assert.deepEqual(await readdir(dataDir), ['settings.json']);
    }
  });
});
