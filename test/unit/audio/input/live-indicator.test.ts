import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { LiveIndicator } from '../../../../src/audio/input/live-indicator.ts';
import { silentLog } from '../../../../src/log/log.ts';

/** An indicator whose command ends when the test says so. */
function setUp() {
  const runs: { readonly args: readonly string[]; readonly end: (error?: Error) => void }[] = [];
  const written: string[] = [];
  const warnings: Readonly<Record<string, unknown>>[] = [];
  let writeFailure: Error | undefined;
  const indicator = new LiveIndicator({
    sysfs: '/sys/class/leds/mic/brightness',
    command: ['/usr/bin/led', '--name', 'mic'],
    log: { ...silentLog, warn: (fields) => warnings.push(fields) },
    run: (file, args) =>
      new Promise((resolve, reject) => {
        runs.push({
          args: [file, ...args],
          end: (error) => (error ? reject(error) : resolve()),
        });
      }),
    write: async (path, text) => {
      if (writeFailure) throw writeFailure;
      written.push(`${path} ${text}`);
    },
  });
  const end = async (error?: Error) => {
    runs.at(-1)?.end(error);
    await turn();
  };
  return {
    ...{ indicator, runs, written, warnings, end },
    words: () => runs.map(({ args }) => args.at(-1)),
    failWrites: (error: Error) => {
      writeFailure = error;
    },
  };
}

test('off at start, on while live, off at stop', async () => {
  const it = setUp();
  const started = it.indicator.start();
  await it.end();
  await started;
  it.indicator.show(true);
  await it.end();
  const stopped = it.indicator.stop();
  await it.end();
  await stopped;
  assert.deepEqual(it.runs[1]?.args, ['/usr/bin/led', '--name', 'mic', 'on']);
  assert.deepEqual(it.words(), ['off', 'on', 'off']);
  const led = '/sys/class/leds/mic/brightness';
  assert.deepEqual(it.written, [`${led} 0`, `${led} 1`, `${led} 0`]);
});

test('never two commands at once, and the newest state wins', async () => {
  const it = setUp();
  it.indicator.show(true);
  for (const live of [false, true, false]) it.indicator.show(live);
  await turn();
  assert.deepEqual(it.words(), ['on']);
  await it.end();
  assert.deepEqual(it.words(), ['on', 'off']);
  it.indicator.show(true);
  it.indicator.show(false);
  await it.end();
  assert.deepEqual(it.words(), ['on', 'off'], 'it shows off already');
});

test('a failure is told once a reason, and the next change is tried', async () => {
  const it = setUp();
  it.failWrites(new Error('EACCES'));
  for (const reason of ['EACCES', 'EACCES', 'ENODEV']) {
    it.indicator.show(true);
    await it.end(new Error(reason));
  }
  assert.deepEqual(it.words(), ['on', 'on', 'on']);
  assert.deepEqual(
    it.warnings.map((fields) => [fields['command'] ?? fields['path'], fields['reason']]),
    [
      ['/sys/class/leds/mic/brightness', 'EACCES'],
      ['/usr/bin/led', 'EACCES'],
      ['/usr/bin/led', 'ENODEV'],
    ],
  );
});

test('with nothing configured it does nothing', async () => {
  const indicator = new LiveIndicator({ log: silentLog });
  await indicator.start();
  indicator.show(true);
  await indicator.stop();
});
