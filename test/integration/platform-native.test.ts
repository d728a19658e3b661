import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildNative } from '../../scripts/build-native.ts';
import { isEarshotError } from '../../src/errors/earshot-error.ts';
import { FileWatch, type Readiness } from '../../src/platform/native/file-watch.ts';
import { loadNativePlatform, nativePlatform } from '../../src/platform/native/native-platform.ts';
import { waitFor } from '../fixtures/wait-for.ts';

/** Watches on real descriptors, and the ends that a process can come to with them. */

/** A watch that outlives its environment crashes in some of the exits, not in all: hence the number. */
const exits = 12;
/** Several at once, so that their teardown meets a busy machine too. */
const atOnce = 4;

const program = fileURLToPath(new URL('../fixtures/platform-exit.ts', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'earshot-platform-'));
after(() => rmSync(directory, { recursive: true }));

/** A pipe with a name: both of its ends can be had in one descriptor. */
const fifoPath = join(directory, 'fifo');
execFileSync('mkfifo', [fifoPath]);

function run(way: string): Promise<string> {
  const flags = ['--disable-warning=ExperimentalWarning', '--expose-gc'];
  const options = { timeout: 30_000, killSignal: 'SIGKILL' } as const;
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [...flags, program, way, fifoPath],
      options,
      (_, __, stderr) => {
        resolve(`${child.exitCode} ${child.signalCode} ${stderr}`.trim());
      },
    );
  });
}

function fifo(): number {
  return openSync(fifoPath, constants.O_RDWR | constants.O_NONBLOCK);
}

test('a descriptor is told when it is ready for what is wanted, and for nothing else', async () => {
  const fd = fifo();
  const told: Readiness[] = [];
  const watch = new FileWatch({
    fd,
    events: { readable: true },
    onReady(ready) {
      told.push(ready);
      if (ready.readable) readSync(fd, Buffer.alloc(16));
    },
    onError: assert.fail,
  });
  writeSync(fd, 'x');
  await waitFor('readable', () => told.length === 1);
  assert.deepEqual(told, [{ readable: true, writable: false, priority: false }]);
  watch.want({ readable: true, writable: true });
  await waitFor('writable', () => told.length > 2);
  watch.want({ readable: true });
  const count = told.length;
  writeSync(fd, 'y');
  await waitFor('readable again', () => told.length === count + 1);
  assert.equal(told.at(-1)?.readable, true);
  watch.close();
  closeSync(fd);
});

test('whether a write would be taken can be asked', () => {
  const fd = fifo();
  assert.equal(nativePlatform().writable(fd), true);
  const block = Buffer.alloc(65_536);
  assert.throws(
    () => {
      for (;;) writeSync(fd, block);
    },
    { code: 'EAGAIN' },
  );
  assert.equal(nativePlatform().writable(fd), false);
  closeSync(fd);
});

test('a closed watch can be closed again, and changed without effect', () => {
  const fd = fifo();
  const watch = new FileWatch({
    fd,
    events: {},
    onReady: () => assert.fail(),
    onError: assert.fail,
  });
  watch.close();
  watch.want({ writable: true });
  watch.close();
  closeSync(fd);
});

test('what cannot be watched is refused with the system’s error', () => {
  const file = openSync(process.execPath, 'r');
  const open = (fd: number) =>
    new FileWatch({ fd, events: { readable: true }, onReady() {}, onError() {} });
  assert.throws(() => open(file), { code: 'EPERM', message: /cannot be watched/ });
  closeSync(file);
  assert.throws(() => open(file), { code: 'EBADF' });
  assert.throws(() => nativePlatform().watch(-1, 1, () => undefined), /fd must be a whole number/);
  assert.throws(() => nativePlatform().watch(0, 16, () => undefined), /events must be a whole/);
});

test('an addon that is not there names where it was looked for', () => {
  try {
    loadNativePlatform(['/nonexistent/addon.node']);
    assert.fail('it was loaded');
  } catch (error) {
    assert.ok(isEarshotError(error, 'PLATFORM_NATIVE_MISSING'));
    assert.match(error.message, /^The native platform module is not built: .*addon\.node/);
  }
});

test(`process.exit() with a watch is clean, ${exits} times out of ${exits}`, async () => {
  for (let done = 0; done < exits; done += atOnce) {
    const runs = Array.from({ length: atOnce }, () => run('exit'));
    for (const end of await Promise.all(runs)) assert.equal(end, '7 null');
  }
});

for (const way of ['throw', 'forget', 'inside', 'worker']) {
  test(`the end of a process by ${way} with a watch is clean`, async () => {
    assert.equal(await run(way), '7 null');
  });
}

test('the addon is clean under AddressSanitizer and UBSan', { timeout: 120_000 }, async () => {
  const addon = await buildNative({
    addon: 'platform',
    arch: process.arch,
    asan: true,
    nodedir: undefined,
    force: false,
  });
  const compiler = process.env['CC'] ?? 'cc';
  const library = (name: string) =>
    execFileSync(compiler, [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
  const chip = join(directory, 'gpio-chip.so');
  const source = fileURLToPath(new URL('../lab/gpio-chip.c', import.meta.url));
  execFileSync(compiler, ['-std=gnu11', '-O2', '-shared', '-fPIC', source, '-o', chip]);
  const scenario = fileURLToPath(new URL('../fixtures/platform-scenario.ts', import.meta.url));
  const env = {
    LD_PRELOAD: `${library('libasan.so')} ${chip}`,
    // V8 keeps what it allocated until the end.
    ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=0:exitcode=99:detect_stack_use_after_return=1',
    UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1:exitcode=98',
    PATH: process.env['PATH'] ?? '',
  };
  const args = ['--disable-warning=ExperimentalWarning', '--expose-gc', scenario, addon];
  const end = await new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      args,
      { env, timeout: 60_000, killSignal: 'SIGKILL' },
      (_error, _stdout, stderr) => resolve(`${child.exitCode} ${stderr}`.trim()),
    );
  });
  assert.equal(end, '7');
});
