import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import * as v from 'valibot';
import { pressAnswerSchema } from '../../src/api/schema.ts';
import { createPowerBoard } from '../../src/control/power/power-boards.ts';
import { powerSchema } from '../../src/control/power/power-config.ts';
import { PowerControl } from '../../src/control/power/power-control.ts';
import { openNativeSerialPort } from '../../src/control/serial/native-serial-port.ts';
import { silentLog } from '../../src/log/log.ts';
import { ask, send, startApi } from '../fixtures/api-server.ts';
import { InMemoryServices } from '../fixtures/in-memory-services.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { plugPtyPair } from '../lab/pty-pair.ts';

/** The board as a program of its own, and what it has told so far. */
class BoardProgram {
  readonly happened: string[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor(port: string, options: readonly string[]) {
    this.#child = spawn(process.execPath, ['test/lab/atx-board.ts', '--port', port, ...options], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#ended = once(this.#child, 'exit');
    let rest = '';
    this.#child.stdout?.on('data', (text) => {
      const lines = `${rest}${String(text)}`.split('\n');
      rest = lines.pop() ?? '';
      this.happened.push(...lines);
    });
  }

  async says(word: string, count = 1): Promise<void> {
    await waitFor(
      `"${word}" of the board`,
      () => this.happened.filter((one) => one === word).length >= count,
    );
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}

/** The real control and the real board program, on the two ends of a line. */
async function start(
  t: TestContext,
  options: readonly string[] = [],
  config: v.InferInput<typeof powerSchema> = {},
) {
  const directory = await mkdtemp(join(tmpdir(), 'earshot-power-'));
  const pair = await plugPtyPair(directory);
  const lab = { pair, program: new BoardProgram(pair.host, options) };
  await lab.program.says('ready');
  const parsed = v.parse(powerSchema, {
    kind: 'uart',
    uart: { port: lab.pair.device },
    ...{ shortMs: 50, longMs: 4_500, resetMs: 50, confirmMs: 5_000 },
    ...config,
  });
  const board = createPowerBoard({
    config: parsed,
    openPort: openNativeSerialPort,
    openLines: () => assert.fail('no GPIO here'),
    log: silentLog,
  });
  const power = new PowerControl({ config: parsed, board, log: silentLog });
  power.start();
  t.after(async () => {
    await power.stop();
    await lab.program.kill();
    await lab.pair.unplug();
    await rm(directory, { recursive: true, force: true });
  });
  await waitFor('the board', () => power.status().state === 'ready');
  return { power, lab, directory };
}

describe('power over a board on a serial port', () => {
  it('switches the host on, asks it to go off, resets it and sees its LED', async (t) => {
    const { power, lab } = await start(t, ['--off-ms', '100']);
    assert.equal(power.status().powerLed, 'off');
    const services = Object.assign(new InMemoryServices(), { power });
    const api = await startApi({ services });
    t.after(api.stop);
    const press = async (path: string) => {
      const answer = await send(api, `/api/v1/power/${path}`, {});
      assert.equal(answer.status, 200, answer.text);
      return v.parse(pressAnswerSchema, answer.json);
    };
    assert.deepEqual(await press('press'), {
      press: 'short',
      confirmed: true,
      result: 'confirmed',
      led: 'on',
    });
    assert.equal((await press('reset')).result, 'unknown');
    assert.equal((await press('press')).led, 'off');
    await lab.program.says('off');
    assert.deepEqual(lab.program.happened, [
      'ready',
      'pressed power',
      'on',
      'released power',
      'pressed reset',
      'reset',
      'released reset',
      'pressed power',
      'released power',
      'off',
    ]);
    assert.equal((await ask(api, '/api/v1/power')).status, 200);
  });

  it('forces off a host that hangs, one press at a time', async (t) => {
    const { power, lab } = await start(t, ['--on', '--off-ms', '1000000']);
    const held = power.press('long');
    await assert.rejects(power.press('reset'), { code: 'POWER_BUSY' });
    assert.deepEqual(await held, {
      press: 'long',
      confirmed: true,
      result: 'confirmed',
      led: 'off',
    });
    await lab.program.says('released power');
    assert.deepEqual(lab.program.happened.slice(1), ['pressed power', 'off', 'released power']);
  });

  it('says when the LED does not follow', async (t) => {
    const { power } = await start(t, ['--on', '--off-ms', '1000000'], { confirmMs: 500 });
    const answer = await power.press('short');
    assert.deepEqual([answer.result, answer.led], ['unconfirmed', 'on']);
  });

  it('ends a press when the line breaks, and the board ends it by itself', async (t) => {
    const { power, lab, directory } = await start(t, ['--on']);
    const failed = assert.rejects(power.press('long'), { code: 'POWER_FAILED' });
    await lab.program.says('pressed power');
    await lab.program.kill();
    await lab.pair.unplug();
    await failed;
    assert.equal(power.status().state, 'opening');
    assert.equal(power.status().powerLed, 'unknown');
    await assert.rejects(power.press('short'), { code: 'POWER_UNAVAILABLE' });
    lab.pair = await plugPtyPair(directory);
    lab.program = new BoardProgram(lab.pair.host, ['--on']);
    await waitFor('the board is back', () => power.status().state === 'ready');
    assert.equal(power.status().powerLed, 'on');
  });

  it('lets go of the button when the device stops', async (t) => {
    const { power, lab } = await start(t, ['--on', '--off-ms', '1000000'], { longMs: 15_000 });
    const held = power.press('long');
    await lab.program.says('pressed power');
    await power.stop();
    await held;
    await lab.program.says('released power');
    assert.ok(!lab.program.happened.includes('off'));
  });

  it('has a board that ends a press by itself when the device is dead', async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'earshot-power-'));
    const pair = await plugPtyPair(directory);
    const board = new BoardProgram(pair.host, ['--on']);
    await board.says('ready');
    const program = `
      import { writeFileSync } from 'node:fs';
      import { writeLine } from './src/control/power/atx-lines.ts';
      writeFileSync(process.argv[1], writeLine({ kind: 'request', id: 77, words: ['press', 'reset', '1500'] }));
      setInterval(() => undefined, 1_000);`;
    const device = spawn(process.execPath, ['--input-type=module', '-e', program, pair.device], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    t.after(async () => {
      device.kill('SIGKILL');
      await board.kill();
      await pair.unplug();
      await rm(directory, { recursive: true, force: true });
    });
    await board.says('pressed reset');
    device.kill('SIGKILL');
    await board.says('released reset');
  });
});
