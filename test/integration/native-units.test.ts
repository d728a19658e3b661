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

/** Compiles a program of tests with the parts it tests, and runs it: it says and ends with nothing. */
async function runUnits(program: string, sources: readonly string[]): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'earshot-units-'));
  try {
    const file = join(dir, 'units');
    execFileSync('cc', [
      ...['-std=c11', '-D_GNU_SOURCE', '-g', '-O1', '-Wall', '-Wextra', '-Werror'],
      ...['-fsanitize=address,undefined', `-I${native}`, '-o', file],
      join(root, 'test/fixtures', program),
      ...sources.map((part) => join(native, part)),
      ...['-lopus', '-lspeexdsp', '-lm'],
    ]);
    // With its leaks: here nothing but the addon's own code allocates.
    const { status, stdout, stderr } = spawnSync(file, { encoding: 'utf8', timeout: 60_000 });
    assert.equal(`${stdout}${stderr}`, '');
    assert.equal(status, 0);
  } finally {
    await rm(dir, { recursive: true });
  }
}

test('the pure parts of the addon: queue, timeline, framer, drift, source, pace, samples, FEC flags', () =>
  runUnits('native-units.c', parts));

test('REFERENCE 1b: the audio delay without clicks: a swept tone has no break, the delay is the one asked for, capture times are true', () =>
  runUnits('native-delay.c', ['delay_line.c']));
