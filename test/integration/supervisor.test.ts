import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { silentLog } from '../../src/log/log.ts';
import type { ChildSpec } from '../../supervisor/child-spec.ts';
import { Supervisor, type SupervisorOptions } from '../../supervisor/supervisor.ts';
import { specOf, testTiming } from '../fixtures/supervised.ts';
import { isAlive, waitFor } from '../fixtures/wait-for.ts';

let supervisor: Supervisor | undefined;

function supervise(specs: readonly ChildSpec[], more: Partial<SupervisorOptions> = {}): Supervisor {
  supervisor = new Supervisor({ specs, log: silentLog, timing: testTiming(), ...more });
  return supervisor;
}

afterEach(async () => {
  await supervisor?.stop();
  supervisor = undefined;
});

const specs = [
  specOf('well-behaved'),
  specOf('exit-at-once', { name: 'audio-input', programArgs: ['1'] }),
  specOf('other-role', { name: 'video' }),
];

describe('a supervisor', () => {
  it('starts its children in order and stops them in reverse, none left', async () => {
    const both = specs.filter(({ name }) => name !== 'audio-input');
    const made = supervise(both, { concurrency: 1 });
    const order: string[] = [];
    for (const { name } of both) {
      made.child(name).on('state', ({ state }) => order.push(`${name} ${state}`));
    }
    await made.start();
    const pids = made.statuses().map(({ pid }) => pid ?? 0);
    for (const pid of pids) assert.ok(await isAlive(pid));
    await made.stop();
    assert.deepEqual(order, [
      'audio-output starting',
      'audio-output running',
      'video starting',
      'video running',
      'video stopping',
      'video stopped',
      'audio-output stopping',
      'audio-output stopped',
    ]);
    for (const pid of pids) assert.ok(!(await isAlive(pid)));
  });

  it('is up although one child is not', async () => {
    const made = supervise(specs);
    await made.start();
    const states = Object.fromEntries(made.statuses().map(({ name, state }) => [name, state]));
    assert.equal(states['audio-output'], 'running');
    assert.equal(states['video'], 'running');
    await waitFor('the end', () => made.child('audio-input').status().state === 'failed');
    assert.equal(made.child('audio-output').status().restarts, 0, 'the others are not touched');
  });

  it('gives a child that failed another chance when a device appears', async () => {
    const made = supervise(specs.filter(({ name }) => name === 'audio-input'));
    const child = made.child('audio-input');
    await made.start();
    await waitFor('failed', () => child.status().state === 'failed');
    await made.start();
    assert.equal(child.status().state, 'failed', 'start alone does not');
    made.deviceAppeared('audio-input');
    assert.equal(child.status().state, 'starting');
  });

  it('starts and stops any number of times', async () => {
    const made = supervise([specOf('well-behaved')]);
    await Promise.all([made.start(), made.start()]);
    assert.equal(made.statuses()[0]?.state, 'running');
    await Promise.all([made.stop(), made.stop()]);
    await made.stop();
    assert.equal(made.statuses()[0]?.state, 'stopped');
    await made.start();
    assert.equal(made.statuses()[0]?.state, 'running');
  });

  it('knows its children by name', () => {
    const made = supervise(specs);
    assert.equal(made.child('video').name, 'video');
    for (const ask of [() => made.child('toString'), () => made.deviceAppeared('x')]) {
      assert.throws(ask, {
        code: 'CHILD_UNKNOWN',
        message: /there is audio-output, audio-input, video\.$/,
      });
    }
  });
});

describe('when the main process dies', () => {
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    it(`by ${signal}, its child ends by itself`, async () => {
      const program = fileURLToPath(new URL('../fixtures/main-program.ts', import.meta.url));
      const main = spawn(process.execPath, [program, 'well-behaved'], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const [line] = await once(createInterface(main.stdout), 'line', {
        signal: AbortSignal.timeout(20_000),
      });
      const pid = Number(line);
      assert.ok(await isAlive(pid));
      const exited = once(main, 'exit');
      main.kill(signal);
      await exited;
      await waitFor('the end of the child', async () => !(await isAlive(pid)), 10_000);
    });
  }

  it('even a child that would rather live on ends', async () => {
    const program = fileURLToPath(new URL('../fixtures/main-program.ts', import.meta.url));
    const main = spawn(process.execPath, [program, 'live-on'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [line] = await once(createInterface(main.stdout), 'line', {
      signal: AbortSignal.timeout(20_000),
    });
    const pid = Number(line);
    const exited = once(main, 'exit');
    main.kill('SIGKILL');
    await exited;
    await waitFor('the end of the child', async () => !(await isAlive(pid)), 10_000);
  });
});
