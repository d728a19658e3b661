import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** A pipeline whose threads outlive their environment crashes in some of the exits, not in all: hence the number. */
const exits = 24;
/** Several at once, so that their teardown meets a busy machine too. */
const atOnce = 4;

const program = fileURLToPath(new URL('../fixtures/video-exit.ts', import.meta.url));

function run(way: string): Promise<string> {
  const args = ['--disable-warning=ExperimentalWarning', '--expose-gc', program, way];
  const options = { timeout: 60_000, killSignal: 'SIGKILL' } as const;
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, options, (_error, _stdout, stderr) => {
      resolve(`${child.exitCode} ${child.signalCode} ${stderr}`.trim());
    });
  });
}

for (const [way, when] of [
  ['exit', 'while pictures stream'],
  ['closing', 'while their pipeline ends'],
] as const) {
  test(`process.exit() ${when} is clean, ${exits} times out of ${exits}`, async () => {
    for (let done = 0; done < exits; done += atOnce) {
      const runs = Array.from({ length: atOnce }, () => run(way));
      for (const end of await Promise.all(runs)) assert.equal(end, '7 null');
    }
  });
}

for (const way of ['throw', 'forget', 'worker', 'closing-worker']) {
  test(`the end of a process by ${way} while pictures stream is clean`, async () => {
    assert.equal(await run(way), '7 null');
  });
}

for (const way of ['hang', 'closing-hang']) {
  test(`the end of a process by ${way} waits for the driver, but not for long`, async () => {
    const beganMs = performance.now();
    assert.equal(await run(way), '7 null');
    // Less than that, and the end of a driver that needs a moment would be cut off too.
    assert.ok(performance.now() - beganMs > 1_500);
  });
}
