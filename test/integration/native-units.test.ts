import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const native = join(root, 'src/audio/native');
const parts = [
  ...[
    'decoder.c',
    'drift_resampler.c',
    'encoder.c',
    'fade.c',
    'framer.c',
    'interleave.c',
    'pace.c',
  ],
  ...['packet_queue.c', 'source.c', 'timeline.c'],
];

test('the pure parts of the addon: queue, timeline, framer, drift, source, pace, samples, FEC flags', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'earshot-units-'));
  try {
    const program = join(dir, 'units');
    execFileSync('cc', [
      ...['-std=c11', '-D_GNU_SOURCE', '-g', '-O1', '-Wall', '-Wextra', '-Werror'],
      ...['-fsanitize=address,undefined', `-I${native}`, '-o', program],
      join(root, 'test/fixtures/native-units.c'),
      ...parts.map((part) => join(native, part)),
      ...['-lopus', '-lspeexdsp', '-lm'],
    ]);
    // With its leaks: here nothing but the addon's own code allocates.
    const { status, stdout, stderr } = spawnSync(program, { encoding: 'utf8', timeout: 60_000 });
    assert.equal(`${stdout}${stderr}`, '');
    assert.equal(status, 0);
  } finally {
    await rm(dir, { recursive: true });
  }
});
