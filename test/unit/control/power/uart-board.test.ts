import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type AtxLine,
  LineCutter,
  readLine,
  writeLine,
} from '../../../../src/control/power/atx-lines.ts';
import { UartBoard } from '../../../../src/control/power/uart-board.ts';
import { silentLog } from '../../../../src/log/log.ts';
import { InMemoryLine } from '../../../fixtures/in-memory-serial-port.ts';
import { ManualTimers } from '../../../fixtures/manual-timers.ts';

type Request = Extract<AtxLine, { kind: 'request' }>;

/** A board whose answers the test writes. */
async function begin() {
  const line = new InMemoryLine();
  const timers = new ManualTimers();
  const board = new UartBoard({
    path: line.path,
    baudRate: 115_200,
    open: line.open,
    timers,
    log: silentLog,
  });
  const requests: Request[] = [];
  const cutter = new LineCutter({
    onLine: (text) => {
      const read = readLine(text);
      assert.ok(read?.kind === 'request', text);
      requests.push(read);
    },
    onGarbage: () => assert.fail('garbage from the device'),
  });
  const lab = {
    line,
    timers,
    board,
    /** The next request; fails where there is none. */
    async next(): Promise<Request> {
      await timers.settle();
      cutter.push(line.take());
      const request = requests.shift();
      assert.ok(request, 'no request');
      return request;
    },
    async none(): Promise<void> {
      await timers.settle();
      cutter.push(line.take());
      assert.deepEqual(requests, []);
    },
    async say(text: AtxLine): Promise<void> {
      line.send(writeLine(text));
      await timers.settle();
    },
    async answer(words: string, fields: Record<string, string> = {}): Promise<void> {
      const { id, words: asked } = await lab.next();
      assert.equal(asked.join(' '), words);
      await lab.say({ kind: 'done', id, fields });
    },
    async greet(fields: Record<string, string> = {}): Promise<void> {
      await lab.answer('hello 1', {
        protocol: '1',
        name: 'test',
        buttons: 'power,reset',
        power: 'off',
        disk: '0',
        ...fields,
      });
    },
  };
  board.start();
  await timers.settle();
  return lab;
}

describe('UartBoard', () => {
  it('greets the board and learns what is wired', async () => {
    const { board, greet } = await begin();
    assert.equal(board.state, 'opening');
    await greet({ buttons: 'power', power: 'on', disk: '250' });
    assert.deepEqual([board.state, board.reason], ['ready', '']);
    assert.deepEqual(board.buttons, { power: true, reset: false });
    assert.deepEqual([board.powerLed, board.diskBusy], ['on', 0.25]);
  });

  it('knows no LED that is not wired', async () => {
    const { board, line, next, say } = await begin();
    const { id } = await next();
    await say({ kind: 'done', id, fields: { protocol: '1', buttons: '' } });
    assert.deepEqual([board.state, board.powerLed, board.diskBusy], ['ready', 'unknown', null]);
    assert.deepEqual(board.buttons, { power: false, reset: false });
    assert.ok(line.isOpen);
  });

  it('greets again until it is answered, through noise and other versions', async () => {
    const { board, line, timers, next, say, greet } = await begin();
    const { id } = await next();
    line.send(Buffer.from([0, 255, 10, 200, 10]));
    line.send(`=${id} ok protocol=1*00\n`);
    await timers.advance(500);
    assert.match(board.reason, /did not answer "hello" within 500 ms/);
    assert.equal(board.garbledLines, 3);
    await timers.advance(2_000);
    const second = await next();
    await say({ kind: 'done', id: second.id, fields: { protocol: '2' } });
    assert.match(board.reason, /speaks version 2 of the protocol, and 1 is known/);
    await timers.advance(2_000);
    await greet();
    assert.equal(board.state, 'ready');
  });

  it('holds a button until the board says that it let go', async () => {
    const { board, greet, answer, say } = await begin();
    await greet();
    let isOver = false;
    const held = board.hold('power', 200).then(() => {
      isOver = true;
    });
    await answer('press power 200');
    assert.equal(isOver, false);
    await say({ kind: 'event', name: 'released', fields: { button: 'power' } });
    await held;
  });

  it('follows the LEDs, and asks for them now and then', async () => {
    const { board, timers, greet, answer, say } = await begin();
    const told: string[] = [];
    board.on('led', (led) => told.push(led));
    board.on('disk', () => told.push(`disk ${board.diskBusy}`));
    await greet();
    await say({ kind: 'event', name: 'led', fields: { power: 'on' } });
    await say({ kind: 'event', name: 'led', fields: { power: 'on', disk: '370' } });
    await say({ kind: 'event', name: 'fan', fields: { rpm: '900' } });
    await timers.advance(5_000);
    await answer('state', { power: 'off', disk: '370', colour: 'green' });
    assert.deepEqual(told, ['off', 'disk 0', 'on', 'disk 0.37', 'off']);
  });

  it('lets go when the board does not say that it did, and fails when that is not confirmed', async () => {
    const { board, timers, greet, answer, next } = await begin();
    await greet();
    const held = board.hold('reset', 200);
    await answer('press reset 200');
    await timers.advance(1_200);
    await answer('release');
    await held;
    const failed = assert.rejects(board.hold('reset', 200), {
      code: 'POWER_FAILED',
      message: /did not confirm that it let go of the reset button/,
    });
    await answer('press reset 200');
    await timers.advance(1_200);
    assert.deepEqual((await next()).words, ['release']);
    await timers.advance(500);
    assert.deepEqual((await next()).words, ['release']);
    await timers.advance(500);
    await failed;
  });

  it('does not press twice when an answer is missing, but lets go', async () => {
    const { board, timers, greet, next, answer } = await begin();
    await greet();
    const failed = assert.rejects(board.hold('power', 5_000), { code: 'POWER_UNAVAILABLE' });
    assert.deepEqual((await next()).words, ['press', 'power', '5000']);
    await timers.advance(500);
    await answer('release');
    await failed;
  });

  it('says what the board refuses', async () => {
    const { board, greet, next, say, answer } = await begin();
    await greet();
    const failed = assert.rejects(board.hold('power', 200), {
      code: 'POWER_FAILED',
      message: 'The power board refused with "busy".',
    });
    const { id } = await next();
    await say({ kind: 'refused', id, word: 'busy' });
    await answer('release');
    await failed;
  });

  it('ends a press whose line is lost, or whose board starts anew', async () => {
    const { board, line, timers, greet, answer, say, none } = await begin();
    await greet();
    const lost = assert.rejects(board.hold('power', 5_000), { code: 'POWER_FAILED' });
    await answer('press power 5000');
    line.unplug();
    await timers.settle();
    await lost;
    assert.equal(board.state, 'opening');
    assert.equal(board.reason, '/dev/ttyTEST went away: hung up.');
    assert.deepEqual([board.powerLed, board.diskBusy], ['unknown', null]);
    await assert.rejects(board.hold('power', 200), { code: 'POWER_UNAVAILABLE' });
    await none();
    line.isPlugged = true;
    await timers.advance(250);
    await greet();
    const reset = assert.rejects(board.hold('power', 5_000), { code: 'POWER_FAILED' });
    await answer('press power 5000');
    await say({ kind: 'event', name: 'hello', fields: { protocol: '1' } });
    await answer('release');
    await reset;
    await timers.advance(0);
    await greet({ power: 'on' });
    assert.deepEqual([board.state, board.powerLed], ['ready', 'on']);
  });

  it('notices a board that does not answer any more', async () => {
    const { board, timers, greet, next } = await begin();
    await greet();
    await timers.advance(5_500);
    assert.deepEqual((await next()).words, ['state']);
    assert.equal(board.state, 'ready');
    await timers.advance(5_500);
    assert.deepEqual((await next()).words, ['state']);
    assert.equal(board.state, 'opening');
    await timers.advance(2_000);
    await greet();
    assert.equal(board.state, 'ready');
  });

  it('lets go of what it holds when it stops', async () => {
    const { board, timers, line, greet, answer } = await begin();
    await greet();
    const held = board.hold('power', 5_000);
    await answer('press power 5000');
    const stopped = board.stop();
    await answer('release');
    await Promise.all([held, stopped]);
    assert.equal(line.isOpen, false);
    assert.equal(timers.pending, 0);
    await board.stop();
  });
});
