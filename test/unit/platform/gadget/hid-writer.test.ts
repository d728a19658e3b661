import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import type { HidFile, WriteResult } from '../../../../src/platform/gadget/hid-file.ts';
import type { HidInterface } from '../../../../src/platform/gadget/hid-interfaces.ts';
import { HidWriter } from '../../../../src/platform/gadget/hid-writer.ts';
import type { Readiness } from '../../../../src/platform/native/file-watch.ts';

const keyboard: HidInterface = {
  name: 'keyboard',
  kinds: ['keyboard'],
  subclass: 1,
  protocol: 1,
};
const combined: HidInterface = {
  name: 'combined',
  kinds: ['absolute', 'relative', 'consumer', 'system'],
  subclass: 0,
  protocol: 0,
};

const keyA = Uint8Array.of(0, 0, 4, 0, 0, 0, 0, 0);
const keyB = Uint8Array.of(0, 0, 5, 0, 0, 0, 0, 0);
const noKey = new Uint8Array(8);

/** f_hid as it behaves: one report on its way, writable when the host has fetched it. */
class SimulatedHid implements HidFile {
  readonly fetched: string[] = [];
  readonly #onReady: (ready: Readiness) => void;
  #pending: Uint8Array | undefined;
  #reports: Uint8Array[] = [];
  wantsWritable = false;
  closed = false;
  gone = false;
  off = false;

  constructor(onReady: (ready: Readiness) => void) {
    this.#onReady = onReady;
  }

  write(report: Uint8Array): WriteResult {
    if (this.gone) return 'gone';
    if (this.#pending !== undefined) return 'busy';
    this.#pending = report;
    return 'accepted';
  }

  writable(): boolean {
    return !this.off && this.#pending === undefined;
  }

  read(): Uint8Array | undefined {
    return this.#reports.shift();
  }

  wantWritable(wanted: boolean): void {
    this.wantsWritable = wanted;
  }

  close(): void {
    this.closed = true;
  }

  /** The host fetches what there is. */
  fetch(): void {
    if (this.#pending !== undefined) this.fetched.push(Buffer.from(this.#pending).toString('hex'));
    this.#pending = undefined;
    if (this.wantsWritable) this.#onReady({ writable: true });
  }

  send(report: Uint8Array): void {
    this.#reports.push(report);
    this.#onReady({ readable: true });
  }
}

function setUp(one: HidInterface, attached = () => true) {
  const reports: Uint8Array[] = [];
  const files: SimulatedHid[] = [];
  const switches: string[] = [];
  const writer = new HidWriter({
    interface: one,
    path: '/dev/hidg0',
    open(_path, onReady) {
      const file = new SimulatedHid(onReady);
      files.push(file);
      return file;
    },
    onReport: (report) => reports.push(report),
    attached,
    onSwitchedOn: () => switches.push('on'),
    deadlineMs: 100,
  });
  const [file] = files;
  assert.ok(file !== undefined);
  return { writer, file, reports, switches };
}

beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
afterEach(() => mock.timers.reset());

test('a report is taken when the host has fetched it', async () => {
  const { writer, file } = setUp(keyboard);
  const taken = writer.write('keyboard', keyA);
  assert.ok(file.wantsWritable);
  file.fetch();
  assert.equal(await taken, true);
  assert.deepEqual(file.fetched, ['0000040000000000']);
  assert.ok(!file.wantsWritable, 'nothing is waited for');
});

test('a report that the host does not fetch is not taken after 100 ms', async () => {
  const { writer } = setUp(keyboard);
  const taken = writer.write('keyboard', keyA);
  mock.timers.tick(99);
  let settled = false;
  void taken.then(() => {
    settled = true;
  });
  await Promise.resolve();
  assert.ok(!settled);
  mock.timers.tick(1);
  assert.equal(await taken, false);
  assert.equal(writer.lateReports, 1);
});

test('a key that the host fetches too late is let go at once', async () => {
  const { writer, file } = setUp(keyboard);
  const taken = writer.write('keyboard', keyA);
  mock.timers.tick(100);
  assert.equal(await taken, false);
  file.fetch();
  file.fetch();
  assert.deepEqual(file.fetched, ['0000040000000000', '0000000000000000']);
});

test('a report of the same kind that waits already is let go instead of', async () => {
  const { writer, file } = setUp(keyboard);
  const first = writer.write('keyboard', keyA);
  mock.timers.tick(100);
  assert.equal(await first, false);
  const second = writer.write('keyboard', keyB);
  file.fetch();
  file.fetch();
  assert.equal(await second, true);
  assert.deepEqual(file.fetched, ['0000040000000000', '0000050000000000']);
});

test('motion and releases that come too late are left as they are', async () => {
  const { writer, file } = setUp(combined);
  const motion = writer.write('relative', Uint8Array.of(0, 5, 0, 5, 0, 1, 0));
  mock.timers.tick(100);
  assert.equal(await motion, false);
  file.fetch();
  file.fetch();
  assert.deepEqual(file.fetched, ['0200050005000100'.slice(0, 16)]);
});

test('a button of the absolute pointer that comes too late is let go where it is', async () => {
  const { writer, file } = setUp(combined);
  const click = writer.write('absolute', Uint8Array.of(1, 0x10, 0x20, 0x30, 0x40));
  mock.timers.tick(100);
  assert.equal(await click, false);
  file.fetch();
  file.fetch();
  assert.deepEqual(file.fetched, ['010110203040', '010010203040']);
});

test('one a kind: another of the same is refused, another kind waits its turn', async () => {
  const { writer, file } = setUp(combined);
  const first = writer.write('consumer', Uint8Array.of(0xe9, 0));
  const other = writer.write('system', Uint8Array.of(2));
  assert.equal(await writer.write('consumer', Uint8Array.of(0, 0)), false);
  file.fetch();
  assert.equal(await first, true);
  file.fetch();
  assert.equal(await other, true);
  assert.deepEqual(file.fetched, ['03e900', '0402']);
});

test('what waits its turn in vain is dropped', async () => {
  const { writer, file } = setUp(combined);
  const first = writer.write('consumer', Uint8Array.of(0, 0));
  const other = writer.write('system', Uint8Array.of(2));
  mock.timers.tick(100);
  assert.deepEqual(await Promise.all([first, other]), [false, false]);
  file.fetch();
  file.fetch();
  assert.deepEqual(file.fetched, ['030000']);
});

test('a report of an earlier run that is still there is waited for', async () => {
  const { writer, file } = setUp(keyboard);
  file.write(keyB);
  const taken = writer.write('keyboard', keyA);
  file.fetch();
  file.fetch();
  assert.equal(await taken, true);
  assert.deepEqual(file.fetched, ['0000050000000000', '0000040000000000']);
});

test('a host that has gone takes nothing, whether the write says so or not', async () => {
  let attached = true;
  const { writer, file } = setUp(keyboard, () => attached);
  const thrownAway = writer.write('keyboard', keyA);
  attached = false;
  file.fetch();
  assert.equal(await thrownAway, false);
  file.gone = true;
  assert.equal(await writer.write('keyboard', keyA), false);
});

test('given up, nothing is taken, and what the host fetches when it wakes is let go', async () => {
  const { writer, file } = setUp(keyboard);
  const taken = writer.write('keyboard', keyA);
  writer.abandon();
  assert.equal(await taken, false);
  file.fetch();
  file.fetch();
  assert.deepEqual(file.fetched, ['0000040000000000', '0000000000000000']);
});

test('with a late report only a write tells whether the host still uses the interface', async () => {
  const { writer, file } = setUp(keyboard);
  const taken = writer.write('keyboard', keyA);
  mock.timers.tick(100);
  assert.equal(await taken, false);
  assert.ok(writer.switchedOn(), 'it may fetch it yet');
  file.gone = true;
  file.off = true;
  assert.ok(!writer.switchedOn());
  assert.ok(file.wantsWritable);
});

test('an interface that the host switches off is told apart, and its return is heard of', () => {
  const { writer, file, switches } = setUp(keyboard);
  assert.ok(writer.switchedOn());
  assert.ok(!file.wantsWritable);
  file.off = true;
  assert.ok(!writer.switchedOn());
  assert.ok(file.wantsWritable);
  file.off = false;
  file.fetch();
  assert.deepEqual(switches, ['on']);
  assert.ok(writer.switchedOn());
});

test('a report on its way says nothing of the host', () => {
  const { writer, file } = setUp(keyboard);
  void writer.write('keyboard', keyA);
  file.off = true;
  assert.ok(writer.switchedOn());
});

test('what is let go goes first, and keeps nobody from writing', async () => {
  const { writer, file } = setUp(keyboard);
  writer.letGo('keyboard');
  const taken = writer.write('keyboard', keyA);
  file.fetch();
  file.fetch();
  assert.equal(await taken, true);
  assert.deepEqual(file.fetched, ['0000000000000000', '0000040000000000']);
});

test('a report of a wrong length is refused', async () => {
  const { writer, file } = setUp(keyboard);
  assert.equal(await writer.write('keyboard', noKey.subarray(1)), false);
  file.fetch();
  assert.deepEqual(file.fetched, []);
});

test('closed, it takes nothing and tells nothing', async () => {
  const { writer, file, reports } = setUp(keyboard);
  file.send(Uint8Array.of(2));
  assert.deepEqual(reports, [Uint8Array.of(2)]);
  const taken = writer.write('keyboard', keyA);
  writer.close();
  writer.close();
  assert.equal(await taken, false);
  assert.ok(file.closed);
  assert.equal(await writer.write('keyboard', keyA), false);
  file.send(Uint8Array.of(3));
  assert.equal(reports.length, 1);
});
