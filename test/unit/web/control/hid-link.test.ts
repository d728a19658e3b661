import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type DeviceMessage,
  decodeViewerMessage,
  encodeDeviceMessage,
  type ViewerMessage,
} from '../../../../src/control/hid/hid-messages.ts';
import { HidLink } from '../../../../src/web/control/hid-link.ts';
import { HostInput } from '../../../../src/web/control/host-input.ts';
import { LatencyHistory } from '../../../../src/web/control/latency-history.ts';
import { LinkClock } from '../../../../src/web/control/link-clock.ts';
import { PageClock } from './page-clock.ts';

/** A data channel or WebSocket that keeps what it was sent. */
class FakePipe {
  readonly sent: ViewerMessage[] = [];
  readonly name: string;
  readonly options: unknown;
  readyState: string | number;
  bufferedAmount = 0;
  binaryType = '';
  closed = false;
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;

  constructor(name: string, readyState: string | number, options?: unknown) {
    this.name = name;
    this.readyState = readyState;
    this.options = options;
  }

  send(bytes: Uint8Array): void {
    const message = decodeViewerMessage(bytes);
    assert.ok(message);
    this.sent.push(message);
  }

  close(): void {
    this.closed = true;
  }

  opens(): void {
    this.readyState = typeof this.readyState === 'number' ? 1 : 'open';
    this.onopen?.();
  }

  ends(): void {
    this.readyState = typeof this.readyState === 'number' ? 3 : 'closed';
    this.onclose?.();
  }

  says(message: DeviceMessage): void {
    this.onmessage?.({ data: encodeDeviceMessage(message).buffer });
  }
}

class FakeConnection {
  signalingState = 'stable';
  readonly channels: FakePipe[] = [];

  createDataChannel(label: string, options: unknown): FakePipe {
    const channel = new FakePipe(label, 'connecting', options);
    this.channels.push(channel);
    return channel;
  }

  /** The newest pair. */
  get keys(): FakePipe {
    return this.#newest('earshot-keys');
  }

  get pointer(): FakePipe {
    return this.#newest('earshot-pointer');
  }

  #newest(label: string): FakePipe {
    const channel = this.channels.findLast(({ name }) => name === label);
    assert.ok(channel);
    return channel;
  }
}

function lab() {
  const clock = new PageClock();
  const sockets: FakePipe[] = [];
  const vias: (string | undefined)[] = [];
  const heard: DeviceMessage[] = [];
  const state = { switches: 0 };
  const link = new HidLink({
    openSocket: (session) => {
      const socket = new FakePipe(session, 0);
      sockets.push(socket);
      // The test's pipe has what the link uses of a WebSocket.
      return socket as unknown as WebSocket;
    },
    backoff: function* () {
      for (;;) yield 500;
    },
    later: clock.later,
    onSwitch: () => {
      state.switches += 1;
    },
    onVia: (via) => vias.push(via),
    onMessage: (message) => heard.push(message),
  });
  const attach = (connection: FakeConnection | undefined) =>
    link.attach(connection as unknown as RTCPeerConnection | undefined);
  return { clock, sockets, vias, heard, state, link, attach };
}

const key = { type: 'key', page: 'keyboard', usage: 4, down: true, timestampMs: 1 } as const;
const move = { type: 'move-absolute', x: 1, y: 2, timestampMs: 1 } as const;
const moveBy = { type: 'move-relative', dx: 1, dy: 2, timestampMs: 1 } as const;
const alive = { type: 'alive', modifiers: 0, held: 1, timestampMs: 1 } as const;
const leds = { type: 'leds', mask: 2, sequence: 0, timestampMs: 1 } as const;

test('two channels are made, one that keeps the order and one that may lose', () => {
  const { link, attach } = lab();
  link.start();
  const connection = new FakeConnection();
  attach(connection);
  const protocol = 'earshot-hid-1';
  assert.deepEqual(
    connection.channels.map(({ name, options }) => [name, options]),
    [
      ['earshot-keys', { ordered: true, protocol }],
      ['earshot-pointer', { ordered: false, maxRetransmits: 0, protocol }],
    ],
  );
});

test('each message goes by its channel, numbered there; nothing goes before both are open', () => {
  const { link, attach, vias } = lab();
  const connection = new FakeConnection();
  attach(connection);
  link.start();
  connection.keys.opens();
  assert.equal(link.send(key), false);
  connection.pointer.opens();
  assert.deepEqual(vias, ['channels']);
  for (const message of [key, move, moveBy, alive, key, move])
    assert.equal(link.send(message), true);
  const shown = ({ sent }: FakePipe) => sent.map(({ type, sequence }) => `${type} ${sequence}`);
  assert.deepEqual(shown(connection.keys), ['key 0', 'move-relative 1', 'key 2']);
  assert.deepEqual(shown(connection.pointer), ['move-absolute 0', 'alive 1', 'move-absolute 2']);
});

test('numbers wrap at 65536', () => {
  const { link, attach } = lab();
  const connection = new FakeConnection();
  attach(connection);
  link.start();
  connection.keys.opens();
  connection.pointer.opens();
  for (let i = 0; i < 65_537; i += 1) link.send(move);
  assert.deepEqual(
    connection.pointer.sent.slice(-2).map(({ sequence }) => sequence),
    [65_535, 0],
  );
});

test('channels that do not open within 2 s leave it to a WebSocket, by which all goes', () => {
  const { link, attach, sockets, vias, clock } = lab();
  link.setSession('s1');
  attach(new FakeConnection());
  link.start();
  clock.advance(1_999);
  assert.equal(sockets.length, 0);
  clock.advance(1);
  assert.deepEqual(
    sockets.map(({ name }) => name),
    ['s1'],
  );
  sockets[0]?.opens();
  assert.deepEqual(vias, ['websocket']);
  for (const message of [key, move, alive]) link.send(message);
  assert.deepEqual(
    sockets[0]?.sent.map(({ type, sequence }) => `${type} ${sequence}`),
    ['key 0', 'move-absolute 1', 'alive 2'],
  );
});

test('channels that open later take over: what is held goes up by the old way, which is closed', () => {
  const { link, attach, sockets, vias, clock, state } = lab();
  link.setSession('s1');
  const connection = new FakeConnection();
  attach(connection);
  link.start();
  clock.advance(2_000);
  sockets[0]?.opens();
  connection.pointer.opens();
  connection.keys.opens();
  assert.deepEqual(vias, ['websocket', 'channels']);
  assert.equal(state.switches, 1);
  assert.equal(sockets[0]?.closed, true);
});

test('channels that close are followed by a WebSocket at once, and made anew after a while', () => {
  const { link, attach, sockets, vias, clock } = lab();
  link.setSession('s1');
  const connection = new FakeConnection();
  attach(connection);
  link.start();
  connection.keys.opens();
  connection.pointer.opens();
  connection.pointer.ends();
  assert.equal(link.send(key), false);
  assert.equal(connection.keys.closed, true, 'the other one has no use alone');
  clock.advance(0);
  sockets[0]?.opens();
  assert.deepEqual(vias, ['channels', undefined, 'websocket']);
  assert.equal(connection.channels.length, 2);
  clock.advance(500);
  assert.equal(connection.channels.length, 4);
});

test('a socket that closes, or never opens, is made anew after a delay', () => {
  const { link, sockets, vias, clock } = lab();
  link.setSession('s1');
  link.start();
  clock.advance(2_000);
  sockets[0]?.opens();
  sockets[0]?.ends();
  assert.deepEqual(vias, ['websocket', undefined]);
  clock.advance(499);
  assert.equal(sockets.length, 1);
  clock.advance(1);
  assert.equal(sockets.length, 2);
  clock.advance(10_000);
  assert.equal(sockets[1]?.closed, true);
  clock.advance(500);
  assert.equal(sockets.length, 3);
});

test('another session has another socket, another connection other channels', () => {
  const { link, attach, sockets, vias, clock } = lab();
  link.setSession('s1');
  link.start();
  clock.advance(2_000);
  sockets[0]?.opens();
  link.setSession('s2');
  assert.equal(sockets[0]?.closed, true);
  clock.advance(2_000);
  assert.equal(sockets[1]?.name, 's2');
  const first = new FakeConnection();
  attach(first);
  first.keys.opens();
  first.pointer.opens();
  attach(undefined);
  assert.equal(first.keys.closed, true);
  assert.deepEqual(vias, ['websocket', undefined, 'channels', undefined]);
});

test('moves are skipped while kilobytes wait; a key that cannot wait either ends the way', () => {
  const { link, attach, vias } = lab();
  const connection = new FakeConnection();
  attach(connection);
  link.start();
  connection.keys.opens();
  connection.pointer.opens();
  connection.pointer.bufferedAmount = 5_000;
  assert.equal(link.send(move), false);
  assert.equal(link.send(key), true);
  connection.keys.bufferedAmount = 5_000;
  assert.equal(link.send(moveBy), false);
  assert.equal(link.send(key), true);
  assert.deepEqual(vias, ['channels']);
  connection.keys.bufferedAmount = 70_000;
  assert.equal(link.send(key), false);
  assert.deepEqual(vias, ['channels', undefined]);
  assert.deepEqual([connection.keys.closed, connection.pointer.closed], [true, true]);
});

test('what the device says is heard, even before the second channel is open; nonsense is not', () => {
  const { link, attach, heard } = lab();
  const connection = new FakeConnection();
  attach(connection);
  link.start();
  connection.keys.opens();
  connection.keys.says(leds);
  connection.keys.onmessage?.({ data: 'text' });
  connection.keys.onmessage?.({ data: new ArrayBuffer(3) });
  assert.deepEqual(heard, [leds]);
});

test('a stopped link has no channel, no socket and no timer', () => {
  const { link, attach, sockets, clock } = lab();
  link.setSession('s1');
  const connection = new FakeConnection();
  attach(connection);
  link.start();
  clock.advance(2_000);
  link.stop();
  link.stop();
  assert.deepEqual([connection.keys.closed, sockets[0]?.closed], [true, true]);
  assert.equal(clock.pending, 0);
  sockets[0]?.opens();
  assert.equal(link.via, undefined);
});

function typist() {
  const clock = new PageClock();
  const sent: { type: string; timestampMs: number }[] = [];
  const input = new HostInput({
    send: (message) => sent.push(message) > 0,
    platform: 'other',
    timeOriginMs: 1e12,
    nowMs: clock.nowMs,
    later: clock.later,
    onLeave: () => undefined,
  });
  const event = (type: string, code: string) =>
    input.key({ type, code, key: '', repeat: false, timeStamp: clock.nowMs() });
  return { clock, sent, input, event };
}

test('while a key is held the device hears of it every 25 ms, and not a moment longer', () => {
  const { clock, sent, event } = typist();
  event('keydown', 'ShiftLeft');
  clock.advance(100);
  event('keyup', 'ShiftLeft');
  clock.advance(1_000);
  assert.deepEqual(
    sent.map(({ type }) => type),
    ['key', 'alive', 'alive', 'alive', 'alive', 'key'],
  );
  const [, first] = sent;
  assert.deepEqual(first, { type: 'alive', modifiers: 2, held: 1, timestampMs: 1e12 + 1_025 });
});

test('a held button is told of too, and all of it goes up with one release', () => {
  const { clock, sent, input, event } = typist();
  input.pointer.movedTo({ x: 3, y: 4 }, clock.nowMs());
  input.pointer.pressed(0b11, clock.nowMs());
  event('keydown', 'KeyA');
  assert.equal(input.held, 3);
  input.release();
  clock.advance(1_000);
  assert.deepEqual(
    sent.map(({ type }) => type),
    ['button', 'key', 'release'],
  );
  assert.deepEqual(sent[0], {
    type: 'button',
    mode: 'absolute',
    mask: 3,
    x: 3,
    y: 4,
    timestampMs: 1e12 + 1_000,
  });
  assert.deepEqual([input.held, clock.pending], [0, 0]);
  event('keyup', 'KeyA');
  assert.equal(sent.length, 3);
});

test('clocks are tied by the quickest answer, soon after the way opened and each second after', () => {
  const clock = new PageClock();
  const offsets: number[] = [];
  const tie = new LinkClock({
    send: (offsetMs) => offsets.push(offsetMs),
    nowMs: clock.nowMs,
    later: clock.later,
  });
  tie.start();
  assert.deepEqual(offsets, [Number.NaN]);
  const answer = (roundTripMs: number, aheadMs: number) => {
    const sentMs = clock.nowMs();
    clock.advance(roundTripMs);
    tie.answered({ sentMs, deviceMs: sentMs + roundTripMs / 2 + aheadMs });
  };
  answer(40, 5_000);
  assert.deepEqual(offsets, [Number.NaN, 5_000], 'as soon as it is known');
  answer(4, 5_010);
  answer(30, 5_003);
  assert.equal(tie.offsetMs, 5_010);
  assert.equal(tie.roundTripMs, 30);
  clock.advance(3_000);
  assert.equal(offsets.at(-1), 5_010);
  assert.equal(offsets.length, 8);
  tie.stop();
  assert.equal(clock.pending, 0);
});

test('latencies: the last, the middle of the minute, and of each second', () => {
  const history = new LatencyHistory();
  assert.deepEqual(history.numbers(0), { lastMs: undefined, medianMs: undefined, points: [] });
  for (const [ms, atMs] of [
    [9, 100],
    [5, 200],
    [7, 300],
    [1, 1_500],
    [Number.NaN, 1_600],
  ] as const) {
    history.note(ms, atMs);
  }
  assert.deepEqual(history.numbers(1_700), {
    lastMs: 1,
    medianMs: 5,
    points: [
      { atMs: 1_000, value: 7 },
      { atMs: 1_700, value: 1 },
    ],
  });
  assert.deepEqual(history.numbers(90_000).points, []);
});
