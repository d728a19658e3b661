import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildNative } from '../../scripts/build-native.ts';
import { buildFaultPlugin } from '../lab/fault-card.ts';

/**
 * The addon compiled with AddressSanitizer and UBSan, driven through all that it can do. Any finding ends
 * the process with another code and a report on standard error.
 *
 * detect_leaks=0: V8 keeps what it allocated until the end, and every allocation of the addon is made
 * below a frame of Node, so no suppression could tell the two apart.
 */
test('the addon is clean under AddressSanitizer and UBSan', { timeout: 170_000 }, async () => {
  const addon = await buildNative({
    arch: process.arch,
    asan: true,
    nodedir: undefined,
    force: false,
  });
  await buildFaultPlugin();
  const compiler = process.env['CC'] ?? 'cc';
  const runtime = execFileSync(compiler, ['-print-file-name=libasan.so'], {
    encoding: 'utf8',
  }).trim();
  const program = fileURLToPath(new URL('../fixtures/native-scenario.ts', import.meta.url));
  const env = {
    LD_PRELOAD: runtime,
    ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=0:exitcode=99:detect_stack_use_after_return=1',
    UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1:exitcode=98',
    PATH: process.env['PATH'] ?? '',
  };
  const end = await new Promise<{ code: number | null; stdout: string; stderr: string }>(
    (resolve) => {
      const child = execFile(
        process.execPath,
        ['--disable-warning=ExperimentalWarning', program, addon],
        { env, timeout: 120_000, killSignal: 'SIGKILL' },
        (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
      );
    },
  );
  assert.equal(end.stderr, '');
  assert.equal(end.code, 7);
  assert.ok(Number(end.stdout) > 300, `${end.stdout} packets`);
});
