import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as v from 'valibot';
import { powerSchema } from '../../../../src/control/power/power-config.ts';
import { PowerControl } from '../../../../src/control/power/power-control.ts';
import {
  powerStatusSchema,
  pressAnswerSchema,
} from '../../../../src/control/power/power-status.ts';
import { silentLog } from '../../../../src/log/log.ts';
import { InMemoryPowerBoard } from '../../../fixtures/in-memory-power-board.ts';
import { ManualTimers } from '../../../fixtures/manual-timers.ts';

function begin(input: v.InferInput<typeof powerSchema> = { kind: 'uart' }) {
  const timers = new ManualTimers();
  const board = new InMemoryPowerBoard();
  const packets: { readonly packet: string; readonly to: string; readonly count: number }[] = [];
  const control = new PowerControl({
    config: v.parse(powerSchema, input),
    board: input.kind === undefined ? undefined : board,
    log: silentLog,
    timers,
    unixMs: () => 1_700_000_000_000,
    send: async ({ packet, count, address, port }) => {
      packets.push({
        packet: Buffer.from(packet).toString('hex'),
        to: `${address}:${port}`,
        count,
      });
    },
  });
  control.start();
  return { control, board, timers, packets };
}

describe('PowerControl', () => {
  it('is confirmed by the power LED, on or off', async () => {
    const { control, board } = begin();
    const on = control.press('short');
    assert.equal(control.status().press, 'short');
    board.release();
    board.setLed('on');
    assert.deepEqual(await on, { press: 'short', confirmed: true, result: 'confirmed', led: 'on' });
    const off = control.press('short');
    // While the button is still down.
    board.setLed('off');
    board.release();
    const answer = v.parse(pressAnswerSchema, await off);
    assert.deepEqual([answer.result, answer.led], ['confirmed', 'off']);
    const status = v.parse(powerStatusSchema, control.status());
    assert.deepEqual(status.lastPress, {
      press: 'short',
      result: 'confirmed',
      unixMs: 1_700_000_000_000,
    });
    assert.deepEqual(status.presses, { confirmed: 2, unconfirmed: 0, unknown: 0, failed: 0 });
    assert.equal(status.press, null);
    assert.equal(board.listenerCount('led'), 1);
  });

  it('is unconfirmed when the LED does not change in time', async () => {
    const { control, board, timers } = begin({ kind: 'uart', confirmMs: 2_000 });
    const press = control.press('short');
    board.release();
    await timers.advance(1_999);
    assert.equal(control.status().press, null);
    assert.equal(control.status().lastPress, null);
    await timers.advance(1);
    assert.deepEqual(await press, {
      press: 'short',
      confirmed: false,
      result: 'unconfirmed',
      led: 'off',
    });
    assert.equal(timers.pending, 0);
  });

  it('holds the button for as long as is configured, and wants the LED out', async () => {
    const { control, board, timers } = begin({
      kind: 'gpio',
      shortMs: 150,
      longMs: 6_000,
      resetMs: 300,
    });
    board.setLed('on');
    const long = control.press('long');
    board.release();
    await timers.settle();
    board.setLed('off');
    assert.equal((await long).result, 'confirmed');
    const again = control.press('long');
    // It comes on when the button goes down, and off when it was held long enough.
    board.setLed('on');
    board.setLed('off');
    board.release();
    assert.equal((await again).result, 'confirmed');
    const reset = control.press('reset');
    board.release();
    assert.equal((await reset).result, 'unknown');
    const short = control.press('short');
    board.release();
    board.setLed('on');
    await short;
    assert.deepEqual(board.held, [
      { button: 'power', ms: 6_000 },
      { button: 'power', ms: 6_000 },
      { button: 'reset', ms: 300 },
      { button: 'power', ms: 150 },
    ]);
  });

  it('is unknown without an LED', async () => {
    const { control, board } = begin();
    board.powerLed = 'unknown';
    const press = control.press('long');
    board.release();
    assert.deepEqual(await press, {
      press: 'long',
      confirmed: false,
      result: 'unknown',
      led: 'unknown',
    });
  });

  it('presses one button at a time', async () => {
    const { control, board } = begin();
    const first = control.press('long');
    await assert.rejects(control.press('reset'), {
      code: 'POWER_BUSY',
      message: 'A long press is under way; wait for its end.',
      details: { press: 'long' },
    });
    board.release();
    await first;
    assert.equal(board.held.length, 1);
  });

  it('ends the wait for one press when another begins', async () => {
    const { control, board, timers } = begin();
    board.setLed('on');
    const first = control.press('short');
    board.release();
    await timers.settle();
    const second = control.press('long');
    assert.equal((await first).result, 'unconfirmed');
    board.release();
    await timers.settle();
    board.setLed('off');
    assert.equal((await second).result, 'confirmed');
  });

  it('says what failed, and can press again', async () => {
    const { control, board } = begin();
    const failed = assert.rejects(control.press('short'), { code: 'POWER_FAILED' });
    board.fail();
    await failed;
    assert.deepEqual([control.status().press, control.status().presses.failed], [null, 1]);
    assert.equal(control.status().lastPress?.result, 'failed');
    board.buttons = { power: true, reset: false };
    await assert.rejects(control.press('reset'), {
      code: 'POWER_NOT_CONFIGURED',
      message: /no reset button/,
    });
    board.state = 'opening';
    board.reason = 'There is no /dev/ttyUSB0.';
    await assert.rejects(control.press('short'), {
      code: 'POWER_UNAVAILABLE',
      message: 'There is no /dev/ttyUSB0.',
    });
  });

  it('waits for nothing once it stops', async () => {
    const { control, board, timers } = begin();
    const waiting = control.press('short');
    board.release();
    await timers.settle();
    await control.stop();
    assert.equal((await waiting).result, 'unconfirmed');
    const held = control.press('short');
    await control.stop();
    assert.equal((await held).result, 'unconfirmed');
    assert.equal(timers.pending, 0);
  });

  it('tells of each change', async () => {
    const { control, board } = begin();
    const told: string[] = [];
    control.on('status', ({ press, powerLed, diskBusy, lastPress }) =>
      told.push(`${press} ${powerLed} ${diskBusy} ${lastPress?.result ?? '-'}`),
    );
    const press = control.press('short');
    board.setLed('on');
    board.release();
    await press;
    board.diskBusy = 0.5;
    board.emit('disk');
    assert.deepEqual(told, [
      'short off 0.12 -',
      'short on 0.12 -',
      'null on 0.12 -',
      'null on 0.12 confirmed',
      'null on 0.5 confirmed',
    ]);
  });

  it('has no buttons where none are configured', async () => {
    const { control } = begin({});
    assert.equal(control.status().state, 'none');
    await assert.rejects(control.press('short'), { code: 'POWER_NOT_CONFIGURED' });
    await control.stop();
  });
});

describe('Wake-on-LAN', () => {
  const office = { name: 'office', mac: '00:1B:44:11:3A:B7', broadcast: '192.168.7.255' };
  const lab = { name: 'lab', mac: '02-00-00-00-00-01', port: 7, password: '01:02:03:04:05:06' };

  it('sends the magic packet to the machine that is named', async () => {
    const { control, packets } = begin({ wakeOnLan: [office, lab] });
    assert.deepEqual(await control.wake({ name: 'office' }), {
      name: 'office',
      mac: '00:1B:44:11:3A:B7',
    });
    await control.wake({ name: 'lab' });
    assert.deepEqual(packets, [
      { packet: 'ff'.repeat(6) + '001b44113ab7'.repeat(16), to: '192.168.7.255:9', count: 3 },
      {
        packet: `${'ff'.repeat(6)}${'020000000001'.repeat(16)}010203040506`,
        to: '255.255.255.255:7',
        count: 3,
      },
    ]);
    assert.equal(control.status().wakes, 2);
    assert.doesNotMatch(JSON.stringify(control.status()), /01:02:03/);
  });

  it('takes an address, known or not, and the only machine there is', async () => {
    const { control, packets } = begin({ wakeOnLan: [office] });
    assert.deepEqual(await control.wake({ mac: '00-1b-44-11-3a-b7' }), {
      name: 'office',
      mac: office.mac,
    });
    assert.deepEqual(await control.wake({ mac: '02:00:00:00:00:09' }), {
      name: '',
      mac: '02:00:00:00:00:09',
    });
    assert.equal((await control.wake({})).name, 'office');
    assert.deepEqual(
      packets.map(({ to }) => to),
      ['192.168.7.255:9', '255.255.255.255:9', '192.168.7.255:9'],
    );
  });

  it('says which machines there are', async () => {
    const { control } = begin({ wakeOnLan: [office, lab] });
    await assert.rejects(control.wake({ name: 'labs' }), {
      code: 'POWER_WAKE_UNKNOWN',
      message: 'There is no machine "labs" to wake; there are: office, lab.',
    });
    await assert.rejects(control.wake({}), { message: /^Which machine\?.*office, lab\.$/ });
    await assert.rejects(begin({}).control.wake({}), { message: /power.wakeOnLan names none/ });
  });

  it('takes nothing else for an address', () => {
    for (const mac of [
      '001b44113ab7',
      '00:1b:44:11:3a',
      '00:1b-44:11:3a:b7',
      '00:1g:44:11:3a:b7',
    ]) {
      assert.equal(v.safeParse(powerSchema, { wakeOnLan: [{ name: 'a', mac }] }).success, false);
    }
  });
});
