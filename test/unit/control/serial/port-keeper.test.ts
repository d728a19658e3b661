import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  PortKeeper,
  portQueueBytes,
  retriesMs,
} from '../../../../src/control/serial/port-keeper.ts';
import { type Log, silentLog } from '../../../../src/log/log.ts';
import { InMemoryLine } from '../../../fixtures/in-memory-serial-port.ts';
import { ManualTimers } from '../../../fixtures/manual-timers.ts';
import { plainLine } from '../../../fixtures/serial-port-contract.ts';

async function keep(change: (line: InMemoryLine) => void = () => undefined) {
  const line = new InMemoryLine();
  change(line);
  const timers = new ManualTimers();
  const warnings: string[] = [];
  const log: Log = {
    ...silentLog,
    warn: (fields) => warnings.push(String(fields['reason'])),
  };
  const keeper = new PortKeeper({ path: line.path, line: plainLine, open: line.open, timers, log });
  const dropped: number[] = [];
  keeper.on('dropped', (bytes) => dropped.push(bytes));
  keeper.start();
  await timers.settle();
  return { line, timers, keeper, warnings, dropped };
}

describe('PortKeeper', () => {
  it('opens the port, and closes it when it stops', async () => {
    const { line, keeper, timers } = await keep();
    assert.deepEqual([keeper.state, keeper.reason, keeper.reopens], ['open', '', 0]);
    assert.deepEqual(line.opened, [plainLine]);
    await keeper.stop();
    await keeper.stop();
    assert.equal(keeper.state, 'stopped');
    assert.equal(line.isOpen, false);
    assert.equal(timers.pending, 0);
  });

  it('looks for a missing port at growing pauses, and says so once', async () => {
    const { line, keeper, timers, warnings } = await keep((one) => {
      one.isPlugged = false;
    });
    assert.equal(keeper.state, 'opening');
    assert.equal(keeper.reason, 'There is no /dev/ttyTEST.');
    for (const pauseMs of [...retriesMs, 2_000, 2_000]) {
      await timers.advance(pauseMs - 1);
      assert.equal(timers.pending, 1);
      await timers.advance(1);
    }
    assert.deepEqual(warnings, ['There is no /dev/ttyTEST.']);
    line.isPlugged = true;
    await timers.advance(2_000);
    assert.equal(keeper.state, 'open');
  });

  it('waits for a port that another program has', async () => {
    const { line, keeper, timers } = await keep((one) => {
      one.isTaken = true;
    });
    assert.match(keeper.reason, /Another program/);
    line.isTaken = false;
    await timers.advance(250);
    assert.equal(keeper.state, 'open');
  });

  it('opens a port again that was unplugged, and tells what was lost with it', async () => {
    const { line, keeper, timers, dropped } = await keep((one) => {
      one.roomBytes = 2;
    });
    assert.equal(keeper.write(Buffer.from('hello')), 5);
    assert.deepEqual([keeper.accepted, keeper.settled], [5, 2]);
    line.unplug();
    await timers.settle();
    assert.equal(keeper.state, 'opening');
    assert.equal(keeper.reason, '/dev/ttyTEST went away: hung up.');
    assert.deepEqual(dropped, [3]);
    assert.deepEqual([keeper.accepted, keeper.settled], [5, 5]);
    assert.equal(keeper.write(Buffer.from('x')), 0);
    line.isPlugged = true;
    await timers.advance(250);
    assert.deepEqual([keeper.state, keeper.reopens], ['open', 1]);
    assert.equal(line.take().length, 0);
  });

  it('queues what the port does not take, up to a bound', async () => {
    const { line, keeper } = await keep((one) => {
      one.roomBytes = 1_000;
    });
    const bytes = new Uint8Array(portQueueBytes + 5_000).map((_, index) => index % 251);
    const accepted = keeper.write(bytes);
    // What the port takes leaves the queue, but is let into it first.
    assert.equal(accepted, portQueueBytes);
    assert.equal(keeper.write(bytes), 1_000);
    const taken = [];
    while (keeper.settled < keeper.accepted) taken.push(line.take());
    taken.push(line.take());
    const expected = [bytes.subarray(0, portQueueBytes), bytes.subarray(0, 1_000)];
    assert.ok(Buffer.concat(taken).equals(Buffer.concat(expected)));
  });

  it('changes the rate of an open port, and opens it anew for another framing', async () => {
    const { line, keeper } = await keep();
    await keeper.setLine({ ...plainLine, baudRate: 9_600 });
    assert.deepEqual([line.rates, line.opened.length], [[9_600], 1]);
    const framed = { ...plainLine, baudRate: 9_600, parity: 'even' as const };
    await keeper.setLine(framed);
    assert.deepEqual(line.opened.at(-1), framed);
    assert.equal(keeper.state, 'open');
    await keeper.setLine(framed);
    assert.equal(line.opened.length, 2);
  });

  it('keeps the line as it was when the driver refuses another', async () => {
    const { line, keeper, timers } = await keep((one) => {
      one.refusedRates.add(123);
    });
    const refused = { ...plainLine, baudRate: 123 };
    await assert.rejects(keeper.setLine(refused), { code: 'SERIAL_LINE_REFUSED' });
    assert.deepEqual([keeper.line, keeper.state], [plainLine, 'open']);
    await assert.rejects(keeper.setLine({ ...refused, dataBits: 7 }), {
      code: 'SERIAL_PORT_FAILED',
    });
    assert.equal(keeper.state, 'opening');
    await timers.advance(250);
    assert.deepEqual([keeper.line, keeper.state], [plainLine, 'open']);
    assert.deepEqual(line.opened.at(-1), plainLine);
  });

  it('takes another line for a port that is away', async () => {
    const { line, keeper, timers } = await keep((one) => {
      one.isPlugged = false;
    });
    await keeper.setLine({ ...plainLine, dataBits: 7 });
    line.isPlugged = true;
    await timers.advance(250);
    assert.equal(line.opened.at(-1)?.dataBits, 7);
  });

  it('holds a break for its time, and ends it when it stops', async () => {
    const { line, keeper, timers } = await keep();
    const done = keeper.sendBreak(300);
    await timers.advance(299);
    assert.deepEqual(
      line.signals.map((signals) => signals.break),
      [true],
    );
    await timers.advance(1);
    await done;
    assert.deepEqual(line.signals.at(-1), { dtr: true, rts: true, break: false });
    const second = keeper.sendBreak(2_000);
    await timers.settle();
    await keeper.stop();
    await second;
    assert.deepEqual(
      line.signals.map((signals) => signals.break),
      [true, false, true, false],
    );
    await assert.rejects(keeper.sendBreak(1), { code: 'SERIAL_PORT_CLOSED' });
  });

  it('sets DTR and RTS, and sets them again on a port that came back', async () => {
    const { line, keeper, timers } = await keep();
    await keeper.setSignals({ dtr: false });
    await keeper.setSignals({ rts: true });
    assert.deepEqual(line.signals.at(-1), { dtr: false, rts: true, break: false });
    line.unplug();
    line.isPlugged = true;
    await timers.advance(250);
    assert.equal(line.signals.length, 3);
    assert.deepEqual(line.signals.at(-1), { dtr: false, rts: true, break: false });
  });

  it('says that a driver does not answer, is stopped all the same, and closes what comes late', async () => {
    const { line, keeper, timers } = await keep((one) => {
      one.isStuck = true;
    });
    await timers.advance(5_000);
    assert.match(keeper.reason, /has not opened it for 5 s/);
    const stopped = keeper.stop();
    await timers.advance(2_000);
    await stopped;
    line.unstick();
    await timers.settle();
    assert.equal(line.isOpen, false);
    assert.equal(timers.pending, 0);
  });
});
