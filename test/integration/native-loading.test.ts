import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { libraryVersions } from '../../src/audio/native/binding.ts';
import { loadNativeAudio } from '../../src/audio/native/native-audio.ts';
import { isEarshotError } from '../../src/errors/earshot-error.ts';

let dir: string;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'earshot-loading-'));
});
after(() => rm(dir, { recursive: true }));

function refusal(path: string): string {
  try {
    loadNativeAudio([path]);
  } catch (error) {
    assert.ok(isEarshotError(error, 'AUDIO_NATIVE_MISSING'));
    assert.equal(error.exitCode, 78);
    return error.message;
  }
  throw new Error('it was loaded');
}

test('an addon that is not there names where it was looked for', () => {
  assert.match(refusal(join(dir, 'none.node')), /not built: there is no .*none\.node/);
});

test('a missing library is named', async () => {
  const source = join(dir, 'empty.c');
  const library = join(dir, 'libgone.so.1');
  const addon = join(dir, 'addon.node');
  await writeFile(source, 'int nothing;\n');
  execFileSync('cc', ['-shared', '-fPIC', '-Wl,-soname,libgone.so.1', source, '-o', library]);
  execFileSync('cc', ['-shared', '-fPIC', '-Wl,--no-as-needed', source, library, '-o', addon]);
  await rm(library);
  assert.equal(
    refusal(addon),
    'The native audio module needs libgone.so.1, which is not installed.',
  );
});

test('a file that is no addon is refused with the reason', async () => {
  const path = join(dir, 'text.node');
  await writeFile(path, 'not a library');
  assert.match(refusal(path), /cannot be loaded: /);
});

test('the addon of this checkout loads and says what it is linked with', () => {
  const { opus, alsa } = libraryVersions();
  assert.match(opus, /^libopus /);
  assert.match(alsa, /^\d+\.\d+/);
});
