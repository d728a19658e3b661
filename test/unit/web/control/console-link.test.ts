import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConsoleMessage } from '../../../../src/control/serial/console-messages.ts';
import type { SerialStatus } from '../../../../src/control/serial/serial-status.ts';
import { consoleWords, portWords } from '../../../../src/web/control/serial-words.ts';
import {
  ConsoleLink,
  type ConsoleState,
  maxWaitingBytes,
  noConsole,
} from '../../../../src/web/control/terminal/console-link.ts';
import { LeaveChord } from '../../../../src/web/control/terminal/leave-chord.ts';
import { PageClock } from './page-clock.ts';

const status: SerialStatus = {
  port: '/dev/ttyUSB0',
  state: 'open',
  reason: '',
  line: { baudRate: 115_200, dataBits: 8, parity: 'none', stopBits: 1, flowControl: 'none' },
  dtr: true,
  rts: true,
  writer: null,
  consoles: 1,
  scrollbackBytes: 0,
  bytesIn: 0,
  bytesOut: 0,
  refusedBytes: 0,
  missedBytes: 0,
  reopens: 0,
  breaks: 0,
};

/** A WebSocket that keeps what it was sent. */
class FakeSocket {
  readonly texts: unknown[] = [];
  readonly bytes: number[] = [];
  readyState = 1;
  binaryType = '';
  closed = false;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { reason: string }) => void) | null = null;

  send(data: string | Uint8Array): void {
    if (typeof data === 'string') this.texts.push(JSON.parse(data));
    else this.bytes.push(data.length);
  }

  close(): void {
    this.closed = true;
  }

  says(message: ConsoleMessage): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

function lab() {
  const clock = new PageClock();
  const sockets: FakeSocket[] = [];
  const shown: string[] = [];
  const link = new ConsoleLink({
    openSocket: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      // The test's socket has what the link uses of one.
      return socket as unknown as WebSocket;
    },
    backoff: function* () {
      for (;;) yield 500;
    },
    later: clock.later,
    onBytes: (bytes) => shown.push(new TextDecoder().decode(bytes)),
    onReset: () => shown.push('reset'),
    onNote: (words) => shown.push(`note: ${words}`),
    onState: () => undefined,
  });
  link.start();
  const newest = (): FakeSocket => {
    const socket = sockets.at(-1);
    assert.ok(socket);
    return socket;
  };
  const hello = {
    type: 'hello',
    console: 'c1',
    windowBytes: 100,
    scrollbackBytes: 4,
    status,
  } as const;
  return { clock, sockets, shown, link, newest, hello };
}

const bytes = (length: number) => new Uint8Array(length);

test('the past is shown from its beginning, and the writer’s place asked for, but not taken', () => {
  const { newest, shown, link, hello } = lab();
  newest().says(hello);
  newest().onmessage?.({ data: new TextEncoder().encode('past').buffer });
  assert.deepEqual(shown, ['reset', 'past']);
  assert.deepEqual(newest().texts, [{ type: 'writer', wanted: true, takeover: false }]);
  assert.deepEqual(
    [link.state.connection, link.state.name, link.state.isWriter],
    ['open', 'c1', false],
  );
  newest().says({ type: 'missed', bytes: 7 });
  assert.equal(shown.at(-1), 'note: 7 bytes of the host are missing here');
});

test('what is typed goes only while this console writes, and no faster than the device takes it', () => {
  const { newest, link, hello } = lab();
  newest().says(hello);
  link.releaseWriter();
  link.write(bytes(3));
  assert.deepEqual(newest().bytes, []);
  assert.match(link.state.notice, /only reads/);
  newest().says({ type: 'writer', held: true, reason: '' });
  assert.equal(link.state.notice, '');
  link.write(bytes(60));
  link.write(bytes(60));
  assert.deepEqual(newest().bytes, [60]);
  newest().says({ type: 'taken', bytes: 60 });
  assert.deepEqual(newest().bytes, [60, 60]);
});

test('what is typed before the device has answered reaches the host, unless another writes', () => {
  for (const held of [true, false]) {
    const { newest, link, hello } = lab();
    link.write(bytes(1));
    newest().says(hello);
    link.write(bytes(2));
    assert.deepEqual(newest().bytes, []);
    newest().says({ type: 'writer', held, reason: 'c2 writes' });
    assert.deepEqual(newest().bytes, held ? [1, 2] : []);
    newest().says({ type: 'writer', held: true, reason: '' });
    assert.deepEqual(newest().bytes, held ? [1, 2] : []);
  }
});

test('a long text is cut into messages; more than there is room for is refused whole and said', () => {
  const { newest, link, hello } = lab();
  newest().says({ ...hello, windowBytes: 1_000_000 });
  newest().says({ type: 'writer', held: true, reason: '' });
  link.write(bytes(40_000));
  assert.deepEqual(newest().bytes, [16_384, 16_384, 7_232]);
  link.write(bytes(maxWaitingBytes + 1));
  assert.equal(newest().bytes.length, 3);
  assert.match(link.state.notice, /256 KiB/);
});

test('who lost the place to another does not fight for it; who lost the connection asks again', () => {
  const { newest, link, hello, clock, sockets } = lab();
  newest().says(hello);
  newest().says({ type: 'writer', held: true, reason: '' });
  newest().onclose?.({ reason: '' });
  assert.equal(link.state.connection, 'lost');
  clock.advance(500);
  assert.equal(sockets.length, 2);
  newest().says(hello);
  assert.deepEqual(newest().texts, [{ type: 'writer', wanted: true, takeover: false }]);
  newest().says({ type: 'writer', held: true, reason: '' });
  newest().says({ type: 'writer', held: false, reason: 'c2 took it.' });
  assert.equal(link.state.notice, 'c2 took it.');
  newest().onclose?.({ reason: '' });
  clock.advance(500);
  newest().says(hello);
  assert.deepEqual(newest().texts, []);
  link.takeWriter(true);
  link.sendBreak(250);
  assert.deepEqual(newest().texts, [
    { type: 'writer', wanted: true, takeover: true },
    { type: 'break', ms: 250 },
  ]);
});

test('a device that says nothing is tried again; nonsense and newer messages are left aside', () => {
  const { newest, link, clock, sockets, hello } = lab();
  clock.advance(10_000);
  assert.equal(sockets[0]?.closed, true);
  clock.advance(500);
  newest().onmessage?.({ data: 'not JSON' });
  newest().onmessage?.({ data: '{"type":"newer"}' });
  newest().says(hello);
  assert.equal(link.state.connection, 'open');
  link.stop();
  link.stop();
  assert.deepEqual([newest().closed, clock.pending], [true, 0]);
});

test('who writes and what is wrong is said in words', () => {
  const open: ConsoleState = { ...noConsole, connection: 'open', name: 'c1', status };
  const words = (change: Partial<ConsoleState>) => consoleWords({ ...open, ...change }, 'Ctrl+Alt');
  assert.match(words({ isWriter: true }), /goes to the host. Press and let go Ctrl\+Alt to leave/);
  assert.match(words({}), /nobody writes/);
  assert.match(words({ status: { ...status, writer: 'c7' } }), /the console c7 writes/);
  assert.match(words({ connection: 'lost', notice: 'Gone.' }), /^Gone. Trying again/);
  assert.match(words({ connection: 'connecting' }), /Connecting/);
  assert.equal(portWords(status), 'Open on /dev/ttyUSB0, 1 looking');
  assert.equal(portWords({ ...status, consoles: 0 }), 'Open on /dev/ttyUSB0');
  assert.equal(portWords({ ...status, state: 'opening' }), 'Waiting for /dev/ttyUSB0');
});

test('Ctrl and Alt alone leave the terminal; as a part of anything else they are the host’s', () => {
  let left = 0;
  const chord = new LeaveChord(() => {
    left += 1;
  });
  const keys = (...events: string[]): number => {
    left = 0;
    for (const event of events) {
      const type = event.startsWith('+') ? 'keydown' : 'keyup';
      chord.take({ type, key: event.slice(1), repeat: false });
    }
    return left;
  };
  assert.equal(keys('+Control', '+Alt', '-Alt', '-Control'), 1);
  assert.equal(keys('+Alt', '+Control', '-Alt', '-Control'), 1);
  assert.equal(keys('+Control', '+Alt', '+Delete', '-Delete', '-Alt', '-Control'), 0);
  assert.equal(keys('+Control', '+c', '-c', '-Control'), 0);
  assert.equal(keys('+Alt', '-Alt', '+Control', '-Control'), 0);
  assert.equal(keys('+Control', '+Alt', '-Control', '-Alt'), 1);
});
