import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** GPIO lines by the kernel's uAPI, on a chip that a preloaded library simulates. */

const directory = mkdtempSync(join(tmpdir(), 'earshot-gpio-'));
const library = join(directory, 'gpio-chip.so');
let told: Record<string, unknown> = {};

before(async () => {
  const source = fileURLToPath(new URL('../lab/gpio-chip.c', import.meta.url));
  const flags = ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC'];
  execFileSync(process.env['CC'] ?? 'cc', [...flags, source, '-o', library]);
  const program = fileURLToPath(new URL('../fixtures/gpio-lines.ts', import.meta.url));
  const env = { PATH: process.env['PATH'] ?? '', LD_PRELOAD: library };
  told = await new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', program],
      { env, timeout: 15_000, killSignal: 'SIGKILL' },
      (error, stdout) => (error === null ? resolve(JSON.parse(stdout)) : reject(error)),
    );
  });
});
after(() => rmSync(directory, { recursive: true }));

function refused(what: string, code: string, message: RegExp): void {
  const { code: was, message: said } = Object(told[what]);
  assert.equal(was, code);
  assert.match(said, message);
}

test('lines are found by name and by number, and begin inactive', () => {
  // Outputs, what is wired to them, the active-low one on a line that is low, one without an interrupt, one pulled up.
  assert.deepEqual(told['atFirst'], [false, false, false, false, false, false]);
});

test('what is set is seen as edges, and by looking where there are none', () => {
  const changes = told['changes'];
  assert.ok(Array.isArray(changes));
  assert.deepEqual(changes.slice(0, 2), ['powerLed true', 'polled true']);
  assert.deepEqual(changes.slice(2, 3), ['diskLed true']);
  assert.deepEqual(changes.slice(3), ['powerLed false', 'polled false']);
  assert.equal(told['atLast'], false);
});

test('a line that somebody has is refused with who it is', () => {
  refused(
    'busy',
    'GPIO_LINE_BUSY',
    /^The line heartbeat of .*gpiochip7 is in use by heartbeat-led\.$/,
  );
  refused('ours', 'GPIO_LINE_BUSY', /in use by earshot\.$/);
});

test('a line or chip that is not there is refused with those that are', () => {
  refused('unnamed', 'GPIO_LINE_UNKNOWN', /no line nothing: there are power-button, .*polled\.$/);
  refused('beyond', 'GPIO_LINE_UNKNOWN', /no line 8: it has the lines 0 to 7\.$/);
  refused('chipless', 'GPIO_CHIP_UNKNOWN', /^There is no GPIO chip \/dev\/gpiochip8/);
  refused('label', 'GPIO_CHIP_UNKNOWN', /^There is no GPIO chip no-such-label/);
  refused('noChip', 'GPIO_FAILED', /^\/dev\/null is no GPIO chip: GPIO_GET_CHIPINFO: /);
});

test('an input cannot be set', () => {
  refused('input', 'GPIO_FAILED', /power-led cannot be set: GPIO_V2_LINE_SET_VALUES: /);
});

test('closed, the lines are given back', () => {
  refused('closed', 'GPIO_FAILED', /it is closed/);
  assert.equal(told['afterwards'], false);
});
