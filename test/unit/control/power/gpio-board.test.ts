import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it } from 'node:test';
import * as v from 'valibot';
import {
  GpioBoard,
  type GpioRole,
  type PowerLineRequest,
  type PowerLines,
} from '../../../../src/control/power/gpio-board.ts';
import { powerSchema } from '../../../../src/control/power/power-config.ts';
import { EarshotError } from '../../../../src/errors/earshot-error.ts';
import { silentLog } from '../../../../src/log/log.ts';
import { ManualTimers } from '../../../fixtures/manual-timers.ts';

/** GPIO lines in memory. */
class InMemoryLines
  extends EventEmitter<{ change: [GpioRole, boolean]; lost: [GpioRole, EarshotError] }>
  implements PowerLines
{
  readonly values = new Map<GpioRole, boolean>();
  readonly set_: string[] = [];
  isBroken = false;
  isClosed = false;

  set(role: GpioRole, active: boolean): void {
    assert.equal(this.isClosed, false, 'set after close');
    this.set_.push(`${role} ${active}`);
    if (this.isBroken) throw new Error('EIO');
    this.values.set(role, active);
  }

  get(role: GpioRole): boolean {
    return this.values.get(role) ?? false;
  }

  change(role: GpioRole, active: boolean): void {
    this.values.set(role, active);
    this.emit('change', role, active);
  }

  close(): void {
    this.isClosed = true;
  }
}

const wired = {
  chip: '/dev/gpiochip0',
  powerButton: { line: 'PWR_BTN' },
  resetButton: { line: 5, activeLow: true },
  powerLed: { line: 6 },
  diskLed: { line: 7 },
};

async function begin(gpio: v.InferInput<typeof powerSchema>['gpio'] = wired) {
  const timers = new ManualTimers();
  const lines = new InMemoryLines();
  lines.values.set('powerLed', true);
  const asked: { chip: string; lines: readonly PowerLineRequest[] }[] = [];
  const faults: Error[] = [];
  const board = new GpioBoard({
    config: v.parse(powerSchema, { kind: 'gpio', gpio }).gpio,
    open: (options) => {
      asked.push(options);
      const fault = faults.shift();
      if (fault !== undefined) throw fault;
      return lines;
    },
    timers,
    log: silentLog,
  });
  const start = async (): Promise<void> => {
    board.start();
    await timers.settle();
  };
  return { board, lines, timers, asked, faults, start };
}

describe('GpioBoard', () => {
  it('opens the lines that are wired, and no others', async () => {
    const { board, asked, start } = await begin();
    await start();
    assert.deepEqual(asked, [
      {
        chip: '/dev/gpiochip0',
        lines: [
          {
            name: 'powerButton',
            line: 'PWR_BTN',
            direction: 'out',
            activeLow: false,
            debounceUs: 0,
          },
          { name: 'resetButton', line: 5, direction: 'out', activeLow: true, debounceUs: 0 },
          { name: 'powerLed', line: 6, direction: 'in', activeLow: false, debounceUs: 20_000 },
          { name: 'diskLed', line: 7, direction: 'in', activeLow: false, debounceUs: 0 },
        ],
      },
    ]);
    assert.deepEqual([board.state, board.powerLed, board.diskBusy], ['ready', 'on', 0]);
    await board.stop();
    const bare = await begin({ chip: 'gpio', powerButton: { line: 0 } });
    await bare.start();
    assert.equal(bare.asked[0]?.lines.length, 1);
    assert.deepEqual(bare.board.buttons, { power: true, reset: false });
    assert.deepEqual([bare.board.powerLed, bare.board.diskBusy], ['unknown', null]);
  });

  it('tries again until the lines can be opened', async () => {
    const { board, timers, faults, start } = await begin();
    faults.push(new Error('There is no /dev/gpiochip0.'), new Error('There is no /dev/gpiochip0.'));
    await start();
    assert.deepEqual([board.state, board.reason], ['opening', 'There is no /dev/gpiochip0.']);
    await assert.rejects(board.hold('power', 100), { code: 'POWER_UNAVAILABLE' });
    await timers.advance(4_000);
    assert.deepEqual([board.state, board.reason], ['ready', '']);
    await board.stop();
    assert.equal(timers.pending, 0);
  });

  it('holds a button for its time', async () => {
    const { board, lines, timers, start } = await begin();
    await start();
    const exits = process.listenerCount('exit');
    const held = board.hold('reset', 300);
    await timers.advance(299);
    assert.equal(lines.get('resetButton'), true);
    assert.equal(process.listenerCount('exit'), exits + 1);
    await timers.advance(1);
    await held;
    assert.deepEqual(lines.set_, ['resetButton true', 'resetButton false']);
    assert.equal(process.listenerCount('exit'), exits);
  });

  it('lets go of a button when it stops, before the lines are closed', async () => {
    const { board, lines, timers, start } = await begin();
    await start();
    const held = board.hold('power', 5_000);
    await timers.settle();
    await Promise.all([board.stop(), held]);
    assert.deepEqual(lines.set_, ['powerButton true', 'powerButton false']);
    assert.equal(lines.isClosed, true);
    assert.equal(timers.pending, 0);
  });

  it('says that a line cannot be set, and tries to let go all the same', async () => {
    const { board, lines, start } = await begin();
    await start();
    lines.isBroken = true;
    await assert.rejects(board.hold('power', 100), {
      code: 'POWER_FAILED',
      message: 'The line of the power button could not be set: EIO.',
    });
    assert.deepEqual(lines.set_, ['powerButton true', 'powerButton false']);
  });

  it('tells of the power LED at once, and of the disk once a second', async () => {
    const { board, lines, timers, start } = await begin();
    await start();
    const told: string[] = [];
    board.on('led', (led) => told.push(led));
    board.on('disk', () => told.push(`disk ${board.diskBusy}`));
    lines.change('powerLed', true);
    lines.change('powerLed', false);
    for (let index = 0; index < 250; index += 1) {
      lines.change('diskLed', true);
      await timers.advance(1);
      lines.change('diskLed', false);
      await timers.advance(1);
    }
    assert.deepEqual(told, ['off']);
    await timers.advance(500);
    await timers.advance(3_000);
    assert.deepEqual(told, ['off', 'disk 0.25', 'disk 0']);
    await board.stop();
  });

  it('takes the lines again when their chip comes back', async () => {
    const { board, lines, timers, asked, start } = await begin();
    await start();
    const told: string[] = [];
    board.on('led', (led) => told.push(led));
    const held = board.hold('power', 5_000);
    lines.emit('lost', 'powerLed', new EarshotError('GPIO_FAILED', 'The line is gone.'));
    await held;
    assert.deepEqual(lines.set_, ['powerButton true', 'powerButton false']);
    assert.deepEqual([board.state, board.reason], ['opening', 'The line is gone.']);
    assert.deepEqual([board.diskBusy, told], [null, ['unknown']]);
    lines.isClosed = false;
    await timers.advance(2_000);
    assert.deepEqual([board.state, board.powerLed, asked.length], ['ready', 'on', 2]);
    await board.stop();
    assert.equal(timers.pending, 0);
  });
});
