import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as v from 'valibot';
import {
  type ConsoleMessage,
  consoleMessageSchema,
  maxConsoleMessageBytes,
} from '../../../../src/control/serial/console-messages.ts';
import type { ConsoleLink } from '../../../../src/control/serial/console-reader.ts';
import { type SerialSettings, serialSchema } from '../../../../src/control/serial/serial-config.ts';
import {
  maxConsoles,
  SerialConsole,
  scrollbackBytes,
} from '../../../../src/control/serial/serial-console.ts';
import { serialStatusSchema } from '../../../../src/control/serial/serial-status.ts';
import { silentLog } from '../../../../src/log/log.ts';
import { InMemoryLine } from '../../../fixtures/in-memory-serial-port.ts';
import { ManualTimers } from '../../../fixtures/manual-timers.ts';

/** A console that keeps what it is told, and has room when the test says so. */
class Reader implements ConsoleLink {
  readonly told: ConsoleMessage[] = [];
  bytes = Buffer.alloc(0);
  largest = 0;
  isSlow = false;
  #sent: (() => void) | undefined;

  send(bytes: Uint8Array, sent: () => void): void {
    assert.equal(this.#sent, undefined, 'one message at a time');
    this.bytes = Buffer.concat([this.bytes, bytes]);
    this.largest = Math.max(this.largest, bytes.length);
    if (this.isSlow) this.#sent = sent;
    else sent();
  }

  tell(message: ConsoleMessage): void {
    this.told.push(v.parse(consoleMessageSchema, message));
  }

  /** It has room now. */
  go(): void {
    const sent = this.#sent;
    this.#sent = undefined;
    sent?.();
  }

  last<T extends ConsoleMessage['type']>(type: T) {
    return this.told.findLast(
      (message): message is Extract<ConsoleMessage, { type: T }> => message.type === type,
    );
  }
}

async function begin(input: v.InferInput<typeof serialSchema> = { port: '/dev/ttyTEST' }) {
  const line = new InMemoryLine();
  const timers = new ManualTimers();
  const stored: SerialSettings[] = [];
  let settings: SerialSettings = {};
  const failure: { error?: Error } = {};
  const console = new SerialConsole({
    config: v.parse(serialSchema, input),
    settings: {
      current: () => settings,
      replace: async (next) => {
        if (failure.error !== undefined) throw failure.error;
        stored.push(next);
        settings = next;
      },
    },
    open: line.open,
    log: silentLog,
    timers,
  });
  console.start();
  await timers.settle();
  const join = () => {
    const link = new Reader();
    return { link, viewer: console.openViewer(link) };
  };
  return { console, line, timers, stored, failure, join };
}

describe('SerialConsole', () => {
  it('shows the past first, and what comes to everybody', async () => {
    const { console, line, join } = await begin();
    line.send('before\r\n');
    const first = join();
    assert.equal(first.link.bytes.toString(), 'before\r\n');
    const hello = first.link.told[0];
    assert.ok(hello?.type === 'hello');
    assert.deepEqual([hello.console, hello.scrollbackBytes], ['c1', 8]);
    line.send('now');
    const second = join();
    assert.equal(second.link.bytes.toString(), 'before\r\nnow');
    line.send(Uint8Array.from([0, 255, 27, 128]));
    for (const { link } of [first, second]) {
      assert.deepEqual(
        link.bytes,
        Buffer.concat([Buffer.from('before\r\nnow'), Buffer.from([0, 255, 27, 128])]),
      );
    }
    assert.equal(console.scrollback().length, 15);
    v.parse(serialStatusSchema, console.status());
    assert.deepEqual([console.status().bytesIn, console.status().consoles], [15, 2]);
  });

  it('begins the past at a whole line once it is longer than what is kept', async () => {
    const { console, line, join } = await begin();
    for (let index = 0; index < 30_000; index += 1) line.send(`line ${index}\r\n`);
    const { link } = join();
    assert.ok(link.bytes.length <= scrollbackBytes && link.bytes.length > scrollbackBytes - 20);
    assert.match(link.bytes.toString(), /^line \d+\r\n[\s\S]*line 29999\r\n$/);
    assert.ok(link.largest <= maxConsoleMessageBytes);
    assert.deepEqual(Buffer.from(console.scrollback()), link.bytes);
  });

  it('lets a slow reader miss its own oldest bytes, and nobody else', async () => {
    const { console, line, join } = await begin();
    const slow = join();
    const quick = join();
    slow.link.isSlow = true;
    const total = scrollbackBytes + 100_000;
    const sent = Buffer.from(Array.from({ length: total }, (_, index) => index % 253));
    for (let at = 0; at < total; at += 4_000) line.send(sent.subarray(at, at + 4_000));
    assert.equal(slow.link.bytes.length, 4_000);
    slow.link.isSlow = false;
    slow.link.go();
    const missed = total - scrollbackBytes - 4_000;
    assert.deepEqual(slow.link.last('missed'), { type: 'missed', bytes: missed });
    assert.ok(
      slow.link.bytes.equals(
        Buffer.concat([sent.subarray(0, 4_000), sent.subarray(total - scrollbackBytes)]),
      ),
    );
    assert.ok(quick.link.bytes.equals(sent));
    assert.equal(quick.link.last('missed'), undefined);
    assert.equal(console.status().missedBytes, missed);
  });

  it('has one writer, who is told when another takes its place', async () => {
    const { console, line, join } = await begin();
    const [first, second] = [join(), join()];
    assert.throws(() => first.viewer.write(Buffer.from('x')), { code: 'SERIAL_NOT_WRITER' });
    assert.equal(first.viewer.takeWriter(false), true);
    assert.equal(first.viewer.takeWriter(false), true);
    assert.equal(second.viewer.takeWriter(false), false);
    assert.match(second.link.last('writer')?.reason ?? '', /^The console c1 writes/);
    first.viewer.write(Buffer.from('one '));
    assert.equal(second.viewer.takeWriter(true), true);
    assert.deepEqual(first.link.last('writer'), {
      type: 'writer',
      held: false,
      reason: "The console c2 took the writer's place.",
    });
    assert.throws(() => first.viewer.write(Buffer.from('x')), /the console c2 does/);
    await assert.rejects(first.viewer.sendBreak(10), { code: 'SERIAL_NOT_WRITER' });
    await assert.rejects(first.viewer.setSignals({ dtr: false }), { code: 'SERIAL_NOT_WRITER' });
    second.viewer.write(Buffer.from('two'));
    assert.equal(line.take().toString(), 'one two');
    first.viewer.releaseWriter();
    assert.equal(console.status().writer, 'c2');
    assert.equal(first.link.last('state')?.status.writer, 'c2');
    second.viewer.releaseWriter();
    assert.equal(console.status().writer, null);
    first.viewer.takeWriter(false);
    first.viewer.close();
    first.viewer.close();
    assert.deepEqual([console.status().writer, console.status().consoles], [null, 1]);
  });

  it('tells the writer how its bytes get on, and refuses what is too much', async () => {
    const { console, line, join } = await begin();
    line.roomBytes = 1_000;
    const { link, viewer } = join();
    viewer.takeWriter(false);
    viewer.write(Buffer.alloc(10, 1));
    assert.deepEqual(link.last('taken'), { type: 'taken', bytes: 10 });
    assert.equal(line.take().length, 10);
    for (let index = 0; index < 10; index += 1) viewer.write(Buffer.alloc(10_000, 2));
    // 1,000 at the port, 65,536 in the queue.
    const refused = 100_000 - 66_536;
    const told = link.told.filter((message) => message.type === 'refused');
    assert.equal(
      told.reduce((sum, message) => sum + (message.type === 'refused' ? message.bytes : 0), 0),
      refused,
    );
    assert.match(link.last('refused')?.reason ?? '', /More than 65536 bytes wait/);
    assert.equal(console.status().refusedBytes, refused);
    for (let length = -1; length !== 0; ) length = line.take().length;
    assert.deepEqual(link.last('taken'), { type: 'taken', bytes: 100_010 });
    assert.equal(console.status().bytesOut, 66_546);
  });

  it("counts a writer's bytes from when it took the place", async () => {
    const { line, join } = await begin();
    line.roomBytes = 10;
    const [first, second] = [join(), join()];
    first.viewer.takeWriter(false);
    first.viewer.write(Buffer.alloc(30, 1));
    second.viewer.takeWriter(true);
    second.viewer.write(Buffer.alloc(10, 2));
    line.take();
    line.take();
    assert.equal(second.link.last('taken'), undefined);
    line.take();
    assert.deepEqual(second.link.last('taken'), { type: 'taken', bytes: 10 });
  });

  it('says what was lost with the port, and that nothing gets through without it', async () => {
    const { console, line, timers, join } = await begin();
    line.roomBytes = 10;
    const { link, viewer } = join();
    viewer.takeWriter(false);
    viewer.write(Buffer.alloc(30, 1));
    line.unplug();
    await timers.settle();
    assert.deepEqual(link.last('refused'), {
      type: 'refused',
      bytes: 20,
      reason: 'The port went away before it took them.',
    });
    assert.equal(link.last('state')?.status.state, 'opening');
    assert.match(link.last('state')?.status.reason ?? '', /went away/);
    viewer.write(Buffer.alloc(5, 1));
    assert.match(link.last('refused')?.reason ?? '', /^The port is not open/);
    assert.deepEqual(link.last('taken'), { type: 'taken', bytes: 35 });
    assert.equal(console.status().refusedBytes, 25);
    assert.equal(console.status().bytesOut, 10);
    line.isPlugged = true;
    await timers.advance(250);
    assert.equal(link.last('state')?.status.state, 'open');
    line.send('back');
    assert.equal(link.bytes.toString(), 'back');
  });

  it('changes the line for good, and not at all when something refuses it', async () => {
    const { console, line, stored, failure } = await begin();
    const status = await console.setLine({ baudRate: 9_600, parity: 'even' });
    assert.deepEqual(status.line, {
      baudRate: 9_600,
      dataBits: 8,
      parity: 'even',
      stopBits: 1,
      flowControl: 'none',
    });
    assert.deepEqual(stored, [{ line: status.line }]);
    line.refusedRates.add(4_000_000);
    await assert.rejects(console.setLine({ baudRate: 4_000_000 }), { code: 'SERIAL_LINE_REFUSED' });
    assert.deepEqual(stored.at(-1), { line: status.line });
    assert.deepEqual(console.status().line, status.line);
    failure.error = new Error('disk full');
    await assert.rejects(console.setLine({ baudRate: 1_200 }), /disk full/);
    assert.deepEqual(console.status().line, status.line);
  });

  it('sends a break and sets DTR for the writer', async () => {
    const { console, line, timers, join } = await begin();
    const { viewer } = join();
    viewer.takeWriter(false);
    const done = viewer.sendBreak(100);
    await timers.advance(100);
    await done;
    await viewer.setSignals({ dtr: false });
    assert.deepEqual(
      line.signals.map((signals) => [signals.dtr, signals.break]),
      [
        [true, true],
        [true, false],
        [false, false],
      ],
    );
    assert.deepEqual([console.status().breaks, console.status().dtr], [1, false]);
  });

  it('lets in as many consoles as may be', async () => {
    const { join } = await begin();
    const consoles = Array.from({ length: maxConsoles }, join);
    assert.throws(join, { code: 'SERIAL_TOO_MANY_CONSOLES' });
    consoles[0]?.viewer.close();
    join();
  });

  it('is none without a port', async () => {
    const { console, join } = await begin({});
    assert.equal(console.status().state, 'none');
    assert.throws(join, { code: 'SERIAL_NOT_CONFIGURED' });
    assert.throws(() => console.scrollback(), { code: 'SERIAL_NOT_CONFIGURED' });
    await assert.rejects(console.setLine({}), { code: 'SERIAL_NOT_CONFIGURED' });
    await assert.rejects(console.sendBreak(1), { code: 'SERIAL_NOT_CONFIGURED' });
    await console.stop();
  });
});
