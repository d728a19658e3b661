import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { HidLink, HidWay } from '../../../src/media/hid-channels.ts';
import { addHidCounts, noHidCounts } from '../../../src/media/hid-counts.ts';
import { HidLane } from '../../../src/media/hid-lane.ts';
import { FakeTransport } from '../../fixtures/fake-transport.ts';

interface Opened {
  readonly session: string;
  readonly link: HidLink;
  readonly received: [HidWay, number][];
  closes: number;
}

let nowMs: number;
let viewers: Opened[];
let transport: FakeTransport;
let lane: HidLane;

const message = (first = 1): Buffer => Buffer.from([first, 0, 0, 0]);

/** A lane's WebSocket that keeps what it was sent. */
function makeSocket() {
  const sent: Uint8Array[] = [];
  const ended: string[] = [];
  return {
    sent,
    ended,
    send: (bytes: Uint8Array) => sent.push(bytes) > 0,
    end: (reason: string) => ended.push(reason),
  };
}

/** The viewer of the moment; fails when there is none. */
function held(): Opened {
  const open = viewers.filter(({ closes }) => closes === 0);
  assert.equal(open.length, 1);
  const [only] = open;
  assert.ok(only);
  return only;
}

beforeEach(() => {
  nowMs = 5_000;
  viewers = [];
  transport = new FakeTransport();
  lane = new HidLane({
    session: 's1',
    hook: {
      open: (session, link) => {
        const viewer: Opened = { session, link, received: [], closes: 0 };
        viewers.push(viewer);
        return {
          receive: (bytes, way) => viewer.received.push([way, bytes[0] ?? -1]),
          close: () => {
            viewer.closes += 1;
          },
        };
      },
    },
    nowMs: () => nowMs,
  });
  lane.attach(transport);
});

describe('a viewer’s keyboard and pointer', () => {
  test('are taken from both channels once that of the keys is open', () => {
    transport.changeHidChannel('pointer', 'open');
    transport.emit('hid', 'pointer', message());
    assert.equal(viewers.length, 0);
    transport.changeHidChannel('keys', 'open');
    transport.emit('hid', 'keys', message(1));
    transport.emit('hid', 'pointer', message(3));
    const { session, link, received } = held();
    assert.equal(session, 's1');
    assert.deepEqual(received, [
      ['keys', 1],
      ['pointer', 3],
    ]);
    assert.equal(link.send(message()), true);
    assert.equal(transport.keysSent.length, 1);
    assert.deepEqual(lane.counts.received, { keys: 1, pointer: 1, socket: 0 });
    assert.equal(lane.counts.dropped.pointer['no-keys'], 1);
  });

  for (const channel of ['keys', 'pointer'] as const) {
    for (const change of ['closed', 'overflow'] as const) {
      test(`are let go of when the channel of the ${channel} is gone: ${change}`, () => {
        transport.changeHidChannel('keys', 'open');
        transport.changeHidChannel('pointer', 'open');
        const viewer = held();
        transport.changeHidChannel(channel, change);
        assert.equal(viewer.closes, 1);
        assert.equal(viewer.link.send(message()), false);
        assert.equal(lane.counts.overflows, Number(change === 'overflow'));
        assert.equal(lane.isOpen, false);
        transport.changeHidChannel(channel, 'open');
        assert.notEqual(held(), viewer);
      });
    }
  }

  test('are let go of at a media reset, and those of the old transport are not heard', () => {
    transport.changeHidChannel('keys', 'open');
    const viewer = held();
    const next = new FakeTransport();
    lane.attach(next);
    assert.equal(viewer.closes, 1);
    transport.emit('hid', 'keys', message());
    transport.changeHidChannel('keys', 'open');
    assert.equal(viewers.length, 1);
    next.changeHidChannel('keys', 'open');
    assert.equal(held().received.length, 0);
    lane.detach();
    lane.detach();
    assert.equal(lane.isOpen, false);
  });

  test('come by WebSocket too, and by whichever way spoke last', () => {
    transport.changeHidChannel('keys', 'open');
    const socket = makeSocket();
    const connection = lane.openSocket(socket);
    const byChannel = held();
    connection.receive(message(1));
    assert.equal(byChannel.closes, 1);
    assert.deepEqual(held().received, [['socket', 1]]);
    held().link.send(message(129));
    assert.equal(socket.sent.length, 1);
    const bySocket = held();
    transport.emit('hid', 'keys', message(2));
    assert.equal(bySocket.closes, 1);
    assert.equal(bySocket.link.send(message()), false);
    assert.deepEqual(held().received, [['keys', 2]]);
    // The way that is not taken changes nothing when it goes.
    connection.close();
    assert.deepEqual(held().received, [['keys', 2]]);
  });

  test('a second WebSocket takes the place of the first; its end lets go', () => {
    const [first, second] = [makeSocket(), makeSocket()];
    const one = lane.openSocket(first);
    const two = lane.openSocket(second);
    assert.deepEqual(first.ended, ['Another WebSocket took its place.']);
    one.receive(message());
    one.close();
    two.receive(message(7));
    assert.deepEqual(held().received, [['socket', 7]]);
    lane.endSocket('The device stops.');
    assert.deepEqual(second.ended, ['The device stops.']);
    assert.equal(lane.isOpen, false);
    two.close();
    two.receive(message());
    assert.equal(viewers.length, 2);
  });

  test('pointer messages over the limit are dropped and counted; nothing is let go of', () => {
    transport.changeHidChannel('keys', 'open');
    for (let count = 0; count < 2_500; count += 1) transport.emit('hid', 'pointer', message(3));
    assert.equal(lane.counts.received.pointer, 2_000);
    assert.equal(lane.counts.dropped.pointer.rate, 500);
    transport.emit('hid', 'keys', message(1));
    assert.equal(held().received.length, 2_001);
    nowMs += 10;
    for (let count = 0; count < 30; count += 1) transport.emit('hid', 'pointer', message(3));
    assert.equal(lane.counts.received.pointer, 2_020);
  });

  test('keys over the limit let go of everything, for a second', () => {
    transport.changeHidChannel('keys', 'open');
    const viewer = held();
    for (let count = 0; count < 2_050; count += 1) transport.emit('hid', 'keys', message());
    assert.equal(viewer.received.length, 2_048);
    assert.equal(viewer.closes, 1);
    assert.equal(lane.counts.dropped.keys.rate, 2);
    nowMs += 999;
    transport.emit('hid', 'keys', message());
    transport.emit('hid', 'pointer', message());
    assert.equal(lane.isOpen, false);
    nowMs += 1;
    transport.emit('hid', 'keys', message(9));
    assert.deepEqual(held().received, [['keys', 9]]);
  });

  test('a message that is too long is dropped', () => {
    const connection = lane.openSocket(makeSocket());
    connection.receive(Buffer.alloc(65));
    connection.receive(Buffer.alloc(64));
    assert.equal(lane.counts.dropped.socket.size, 1);
    assert.equal(lane.counts.received.socket, 1);
  });

  test('what a way does not take is counted', () => {
    lane.openSocket({ ...makeSocket(), send: () => false });
    assert.equal(held().link.send(message()), false);
    assert.deepEqual([lane.counts.sent, lane.counts.unsent], [0, 1]);
  });

  test('a session that nobody listens to takes messages and does nothing', () => {
    const deaf = new HidLane({ session: 's2', hook: undefined, nowMs: () => nowMs });
    deaf.attach(transport);
    transport.changeHidChannel('keys', 'open');
    transport.emit('hid', 'keys', message());
    assert.equal(deaf.isOpen, false);
  });
});

test('counts are summed', () => {
  const one = noHidCounts();
  one.received.keys = 3;
  one.dropped.pointer.rate = 5;
  one.sent = 7;
  const totals = noHidCounts();
  addHidCounts(totals, one);
  addHidCounts(totals, one);
  one.received.keys *= 2;
  one.dropped.pointer.rate *= 2;
  one.sent *= 2;
  assert.deepEqual(totals, one);
});
