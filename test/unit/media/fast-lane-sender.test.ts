import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import {
  type FastLaneReport,
  messageTypeOf,
  readPong,
  readSound,
  unknownReport,
  writePing,
} from '../../../src/media/fast-lane-packets.ts';
import { FastLaneSender } from '../../../src/media/fast-lane-sender.ts';
import { FastLaneStream } from '../../../src/media/fast-lane-stream.ts';

/** A way to the viewer that keeps what it is given, as far as there is room. */
class Outlet {
  readonly maxRedundantBytes: number;
  room = Number.POSITIVE_INFINITY;
  readonly sent: Uint8Array[] = [];
  readonly ended: string[] = [];

  constructor(maxRedundantBytes = 1_172) {
    this.maxRedundantBytes = maxRedundantBytes;
  }

  send(message: Uint8Array): boolean {
    if (this.room < 1) return false;
    this.room -= 1;
    this.sent.push(message);
    return true;
  }

  end(reason: string): void {
    this.ended.push(reason);
  }

  get sounds() {
    return this.sent.flatMap((message) => readSound(message) ?? []);
  }

  get pongs() {
    return this.sent.flatMap((message) => readPong(message) ?? []);
  }
}

let nowUs: number;
let channel: Outlet;
let lane: FastLaneSender;
let stream: FastLaneStream;
let timestamp: number;

function ping(
  changes: { sound?: boolean; redundancy?: boolean; id?: number } = {},
  report: Partial<FastLaneReport> = {},
): Uint8Array {
  return writePing({
    id: changes.id ?? 7,
    wantsSound: changes.sound ?? true,
    wantsRedundancy: changes.redundancy ?? false,
    report: { ...unknownReport, ...report },
  });
}

function publish(bytes = 100): void {
  const packet = stream.next({
    payload: Buffer.alloc(bytes, 5),
    samples: 480,
    timestamp,
    marker: false,
    captureTimeNs: BigInt(nowUs) * 1_000n,
    discontinuity: false,
  });
  assert.ok(packet);
  timestamp += 480;
  nowUs += 10_000;
  lane.sendSound(packet);
}

beforeEach(() => {
  nowUs = 5_000_000;
  timestamp = 0;
  channel = new Outlet();
  stream = new FastLaneStream();
  lane = new FastLaneSender({ channel, nowUs: () => nowUs });
});

describe('FastLaneSender', () => {
  test('sends nothing to a viewer that did not ask', () => {
    publish();
    lane.receive('channel', ping({ sound: false }));
    publish();
    assert.deepEqual(channel.sounds, []);
    assert.equal(lane.isListening, false);
    assert.equal(lane.counts.drops.queue, 0);
  });

  test('sends to one that asks, until it says that it is enough', () => {
    lane.receive('channel', ping());
    publish();
    publish();
    lane.receive('channel', ping({ sound: false }));
    publish();
    assert.deepEqual(
      channel.sounds.map(({ sequence, previous }) => [sequence, previous]),
      [
        [0, undefined],
        [1, undefined],
      ],
    );
    assert.equal(lane.counts.packetsSent, 2);
    assert.equal(lane.counts.bytesSent, 232);
  });

  test('answers each ping at once, on the way it came by, with the times of both', () => {
    const times = [100, 250];
    const own = new FastLaneSender({ channel, nowUs: () => times.shift() ?? 400 });
    const socket = new Outlet();
    const connection = own.openSocket(socket);
    times.unshift(300, 320);
    own.receive('channel', ping({ id: 0xffffffff }));
    assert.deepEqual(channel.pongs, [{ id: 0xffffffff, receivedUs: 300, sentUs: 320 }]);
    connection.receive(ping({ id: 3 }));
    assert.deepEqual(
      socket.pongs.map(({ id }) => id),
      [3],
    );
    assert.equal(channel.pongs.length, 1);
  });

  test('stops 5 s after the last ping, and goes on with the next', () => {
    const changes: boolean[] = [];
    lane.on('listening', () => changes.push(lane.isListening));
    lane.receive('channel', ping());
    nowUs += 4_999_999;
    lane.tick();
    publish();
    assert.equal(channel.sounds.length, 1);
    lane.receive('channel', ping());
    nowUs += 5_000_000;
    lane.tick();
    publish();
    assert.equal(channel.sounds.length, 1);
    assert.equal(lane.status(), null);
    lane.receive('channel', ping());
    publish();
    assert.equal(channel.sounds.length, 2);
    assert.deepEqual(changes, [true, false, true]);
  });

  test('adds the packet before while the viewer asks, and counts what it costs', () => {
    lane.receive('channel', ping({ redundancy: true }));
    publish(100);
    publish(50);
    lane.receive('channel', ping());
    publish(30);
    assert.deepEqual(
      channel.sounds.map(({ payload, previous }) => [payload.length, previous?.length]),
      [
        [100, undefined],
        [50, 100],
        [30, undefined],
      ],
    );
    assert.equal(lane.counts.redundantPackets, 1);
    assert.equal(lane.counts.redundantBytes, 102);
    assert.equal(lane.counts.bytesSent, 116 + 168 + 46);
  });

  test('leaves the packet before out where both make more than a datagram', () => {
    lane.receive('channel', ping({ redundancy: true }));
    publish(577);
    publish(577);
    publish(578);
    assert.deepEqual(
      channel.sounds.map(({ previous }) => previous?.length),
      [undefined, 577, undefined],
    );
  });

  test('drops what its way cannot take, and counts it', () => {
    lane.receive('channel', ping());
    channel.room = 1;
    publish();
    publish();
    publish();
    channel.room = 1;
    publish();
    assert.deepEqual(
      channel.sounds.map(({ sequence }) => sequence),
      [0, 3],
    );
    assert.equal(lane.counts.drops.queue, 2);
    assert.equal(lane.status()?.dropped, 2);
    assert.equal(lane.counts.packetsSent, 2);
  });

  test('sends sound by the way of the last ping', () => {
    const socket = new Outlet();
    const connection = lane.openSocket(socket);
    lane.receive('channel', ping());
    publish();
    assert.deepEqual([lane.isListeningBySocket, lane.status()?.via], [false, 'channel']);
    connection.receive(ping());
    publish();
    assert.deepEqual([lane.isListeningBySocket, lane.status()?.via], [true, 'websocket']);
    assert.deepEqual(
      [
        channel.sounds.map(({ sequence }) => sequence),
        socket.sounds.map(({ sequence }) => sequence),
      ],
      [[0], [1]],
    );
  });

  test('stops when its way is gone, not when the other is', () => {
    const socket = new Outlet();
    const connection = lane.openSocket(socket);
    connection.receive(ping());
    lane.channelClosed();
    publish();
    assert.equal(socket.sounds.length, 1);
    connection.close();
    connection.close();
    publish();
    assert.equal(socket.sounds.length, 1);
    assert.equal(lane.status(), null);
    connection.receive(ping());
    assert.equal(lane.status(), null);
    lane.receive('channel', ping());
    lane.channelClosed();
    publish();
    assert.deepEqual(channel.sounds, []);
    assert.equal(lane.counts.drops.queue, 0);
  });

  test('a newer WebSocket takes the place of the one before', () => {
    const [first, second] = [new Outlet(), new Outlet()];
    const firstConnection = lane.openSocket(first);
    firstConnection.receive(ping());
    const secondConnection = lane.openSocket(second);
    assert.equal(first.ended.length, 1);
    assert.equal(lane.isListening, false);
    firstConnection.receive(ping());
    secondConnection.receive(ping());
    firstConnection.close();
    publish();
    assert.deepEqual([first.sounds.length, second.sounds.length], [0, 1]);
    lane.endSocket('The viewer left.');
    lane.endSocket('Again.');
    assert.deepEqual(second.ended, ['The viewer left.']);
    assert.equal(lane.isListening, false);
  });

  test('says when the viewer listens, and when it changes its way, not at every ping', () => {
    let changes = 0;
    lane.on('listening', () => {
      changes += 1;
    });
    const connection = lane.openSocket(new Outlet());
    for (let count = 0; count < 3; count += 1) lane.receive('channel', ping());
    assert.equal(changes, 1);
    for (let count = 0; count < 3; count += 1) connection.receive(ping());
    assert.equal(changes, 2);
    connection.receive(ping({ redundancy: true }));
    assert.equal(changes, 2);
    connection.close();
    assert.equal(changes, 3);
  });

  test('counts what is no ping, and goes on', () => {
    lane.receive('channel', ping());
    for (const message of [
      new Uint8Array(0),
      Uint8Array.of(3),
      Uint8Array.of(2, 0),
      Buffer.from('{}'),
    ]) {
      lane.receive('channel', message);
    }
    assert.equal(lane.counts.drops.malformed, 4);
    publish();
    assert.equal(channel.sounds.length, 1);
    assert.equal(channel.pongs.length, 1);
  });

  test('answers 50 pings a second and no more', () => {
    for (let count = 0; count < 200; count += 1) lane.receive('channel', ping());
    assert.equal(channel.pongs.length, 50);
    assert.equal(lane.counts.drops.rate, 150);
    nowUs += 1_000_000;
    for (let count = 0; count < 200; count += 1) lane.receive('channel', ping());
    assert.equal(channel.pongs.length, 100);
  });

  test('shows what the viewer last said', () => {
    assert.equal(lane.status(), null);
    lane.receive('channel', ping({ redundancy: true }, { isSounding: true, delayMs: 46.5 }));
    publish();
    assert.deepEqual(lane.status(), {
      via: 'channel',
      sounding: true,
      redundancy: true,
      packetsSent: 1,
      bytesSent: 116,
      dropped: 0,
      report: { ...unknownReport, isSounding: true, delayMs: 46.5 },
    });
  });

  test('sums what was heard between two reports, also over a silence, and not what was before', () => {
    const report = (lost: number, concealedMs: number): void =>
      lane.receive('channel', ping({}, { lost, concealedMs }));
    report(100, 40);
    assert.equal(lane.counts.heard.lost, 0);
    report(103, 40);
    report(-1, 45);
    report(104, 50);
    assert.deepEqual([lane.counts.heard.lost, lane.counts.heard.concealedMs], [3, 10]);
    nowUs += 6_000_000;
    lane.tick();
    report(110, 50);
    assert.equal(lane.counts.heard.lost, 9);
    report(2, 0);
    report(3, 5);
    assert.deepEqual([lane.counts.heard.lost, lane.counts.heard.concealedMs], [10, 15]);
    assert.equal(lane.counts.heard.received, 0);
  });

  test('every message is one of the two that the device sends', () => {
    lane.receive('channel', ping({ redundancy: true }));
    publish();
    publish();
    assert.deepEqual(channel.sent.map(messageTypeOf), ['pong', 'sound', 'sound']);
  });
});
