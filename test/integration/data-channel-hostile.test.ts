import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { fastLaneLabel, fastLaneProtocol } from '../../src/media/fast-lane-packets.ts';
import { MuxEndpoint } from '../../src/media/udp-mux.ts';
import { DataDevice, type DataViewer } from '../fixtures/data-device.ts';
import { heapBytes } from '../fixtures/heap.ts';
import { RawDataViewer } from '../fixtures/raw-data-viewer.ts';
import {
  dataChunk,
  initChunk,
  openMessage,
  sackChunk,
  sctpChunk,
  sctpPacket,
  words,
} from '../fixtures/sctp-packets.ts';
import { waitFor } from '../fixtures/wait-for.ts';

/** What a turn may take, collections and a busy machine included; the faults guarded against take many seconds. */
const maxBlockedMs = 1_500;

let device: DataDevice;
let hostile: RawDataViewer;
let target: DataViewer;

/** The longest time that nothing else got its turn. */
function watchTurns(): () => number {
  let lastMs = performance.now();
  let longestMs = 0;
  const timer = setInterval(() => {
    longestMs = Math.max(longestMs, performance.now() - lastMs);
    lastMs = performance.now();
  }, 5);
  return () => {
    clearInterval(timer);
    return Math.max(longestMs, performance.now() - lastMs);
  };
}

/** Does it again and again, letting others have their turn. */
async function repeat(times: number, act: (index: number) => Promise<void>): Promise<void> {
  for (let index = 0; index < times; index += 1) {
    await act(index);
    if (index % 20 === 19) await turn();
  }
}

async function laneWorks(): Promise<void> {
  const { length } = target.messages;
  await waitFor('a message through the lane', async () => {
    await hostile.send(0, 53, Buffer.from('still here'));
    return target.messages.length > length;
  });
  assert.equal(target.messages.at(-1)?.toString(), 'still here');
  assert.equal(target.transport.sendData(Buffer.from('and back')), true);
}

describe('a viewer with the right keys and bad manners', () => {
  before(async () => {
    device = new DataDevice();
    await device.start();
  });

  after(async () => {
    await device.stop();
  });

  beforeEach(async () => {
    hostile = new RawDataViewer();
    target = await hostile.connect(device);
    await hostile.open(0, fastLaneLabel, fastLaneProtocol);
    await waitFor('the lane', () => target.transport.dataChannelOpen);
  });

  afterEach(async () => {
    assert.equal(target.transport.state, 'connected');
    await target.transport.close();
    await hostile.close();
  });

  test('garbage is refused, each time, and nothing else happens', async () => {
    const longest = watchTurns();
    const before = target.transport.datagramsRefused;
    await repeat(300, (index) => hostile.sendBytes(randomBytes(1 + (index % 1_100))));
    const chunks = [
      sctpChunk(0, words(hostile.tsn, 0, 53, 1), { length: 0 }),
      sctpChunk(4, words(0x0001_0000)),
      sctpChunk(3, words(hostile.receivedTsn, 65_536, 0xffff_ffff)),
      sackChunk(hostile.receivedTsn, [1, 0xffff], [1, 0xffff]),
      sctpChunk(130, words(0x000d_0008, 1)),
      sctpChunk(192, words(hostile.tsn + 0x7000_0000)),
      sctpChunk(7, words(1)),
      sctpChunk(8, Buffer.alloc(0)),
      sctpChunk(99, Buffer.alloc(8)),
      initChunk({ tag: 9, tsn: 77 }),
    ];
    for (const chunk of chunks) await hostile.sendBytes(sctpPacket(0, chunk));
    for (const chunk of chunks) await hostile.sendChunks(chunk);
    const damaged = sctpPacket(hostile.tag, dataChunk({ tsn: hostile.tsn }));
    damaged.writeUInt32BE(0xdeadbeef, 8);
    await hostile.sendBytes(damaged);
    await waitFor('all to be refused', () => {
      return target.transport.datagramsRefused >= before + 300 + 2 * chunks.length + 1;
    });
    await laneWorks();
    assert.ok(longest() < maxBlockedMs);
  });

  test('control messages and kinds that make no sense are refused', async () => {
    const good = { label: fastLaneLabel, protocol: fastLaneProtocol };
    const overrun = openMessage(good);
    overrun.writeUInt16BE(0xffff, 8);
    const before = target.transport.datagramsRefused;
    await hostile.send(2, 50, Buffer.from([2]));
    await hostile.send(2, 50, Buffer.from([3]));
    await hostile.send(2, 50, overrun);
    await hostile.send(2, 50, openMessage({ ...good, type: 0 }));
    await hostile.send(2, 50, openMessage({ ...good, reliability: 1 }));
    await hostile.send(2, 53, Buffer.from('no such channel'));
    await hostile.send(0, 51, Buffer.from('text'));
    await hostile.send(0, 99, Buffer.from('what is this'));
    await hostile.send(0, 53, Buffer.alloc(5_000));
    await waitFor('all to be refused', () => target.transport.datagramsRefused >= before + 9);
    assert.equal(target.messages.length, 0);
    await laneWorks();
  });

  test('thousands of channels end the association, not the connection', async () => {
    const heap = heapBytes();
    const first = hostile.tsn;
    await repeat(2_000, (index) =>
      hostile.sendChunks(
        dataChunk({
          tsn: first + index,
          streamId: (2 * index) % 1_024,
          protocol: 50,
          data: openMessage({ label: `channel ${index}`, protocol: '' }),
        }),
      ),
    );
    await waitFor('its end', () => !target.transport.dataChannelOpen);
    assert.deepEqual(target.openings, [true, false]);
    assert.ok(heapBytes() - heap < 8_000_000);
  });

  test('an endless message ends the association', async () => {
    const first = hostile.tsn;
    await repeat(200, (index) =>
      hostile.sendChunks(
        dataChunk({ tsn: first + index, data: Buffer.alloc(1_000), flags: index === 0 ? 2 : 0 }),
      ),
    );
    await waitFor('its end', () => !target.transport.dataChannelOpen);
  });

  test('holes in the numbers cost nothing', async () => {
    const longest = watchTurns();
    const heap = heapBytes();
    const first = hostile.tsn;
    await repeat(3_000, (index) => hostile.sendChunks(dataChunk({ tsn: first + 1 + 2 * index })));
    await repeat(3_000, () =>
      hostile.sendChunks(dataChunk({ tsn: first + 1 }), dataChunk({ tsn: first + 3 })),
    );
    await waitFor('some to be refused', () => target.transport.datagramsRefused > 500);
    assert.ok(heapBytes() - heap < 8_000_000);
    assert.ok(longest() < maxBlockedMs, `${longest()}`);
    assert.ok(target.messages.length <= 300);
  });

  test('a flood of whatever is right is limited', async () => {
    const longest = watchTurns();
    const reset = Buffer.concat([words(0x000d_0012, 1, 2, 3), Buffer.from([0, 2])]);
    const kinds = [
      sctpChunk(4, words(0x0001_0008, 5)),
      sctpChunk(130, reset),
      sackChunk(hostile.receivedTsn),
      sctpChunk(192, words(hostile.tsn - 1)),
    ];
    await repeat(8_000, (index) => hostile.sendChunks(kinds[index % 4] ?? Buffer.alloc(0)));
    await waitFor('much to be refused', () => target.transport.datagramsRefused > 3_000);
    assert.ok(longest() < maxBlockedMs);
    await laneWorks();
  });

  test('a window of zero stops what is sent to it, bounded', async () => {
    hostile.silence();
    const zero = sctpChunk(3, words(hostile.receivedTsn, 0, 0));
    await hostile.sendChunks(zero);
    await waitFor('the queue to be full', () => !target.transport.sendData(Buffer.alloc(500)));
    assert.equal(target.transport.dataChannelOpen, true);
  });

  test('ABORT closes the lane', async () => {
    await hostile.sendChunks(sctpChunk(6, Buffer.alloc(0)));
    await waitFor('the end', () => !target.transport.dataChannelOpen);
    assert.equal(target.transport.sendData(Buffer.from('x')), false);
  });

  test('no two records of the device have one number', async (t) => {
    const numbers: number[] = [];
    const send = MuxEndpoint.prototype.send;
    t.mock.method(
      MuxEndpoint.prototype,
      'send',
      function (this: MuxEndpoint, ...args: Parameters<typeof send>) {
        const [parts] = args;
        const bytes = Buffer.isBuffer(parts) ? parts : Buffer.concat(parts);
        for (
          let at = 0;
          bytes[0] !== undefined && bytes[0] >= 20 && bytes[0] < 64 && at < bytes.length;
        ) {
          if (bytes.readUInt16BE(at + 3) === 1) numbers.push(bytes.readUIntBE(at + 5, 6));
          at += 13 + bytes.readUInt16BE(at + 11);
        }
        return send.apply(this, args);
      },
    );
    const other = new RawDataViewer();
    const viewer = await other.connect(device);
    await other.open(0, fastLaneLabel, fastLaneProtocol);
    await waitFor('the lane', () => viewer.transport.dataChannelOpen);
    for (let sent = 0; sent < 30; sent += 1) viewer.transport.sendData(Buffer.alloc(100));
    await waitFor('all sent', () => numbers.length > 30);
    assert.equal(new Set(numbers).size, numbers.length);
    await viewer.transport.close();
    await other.close();
  });
});

describe('opened and closed over and over', () => {
  test('sixty connections with a lane leave nothing behind', async () => {
    const pool = new DataDevice();
    await pool.start();
    const cycle = async (): Promise<void> => {
      const viewer = new RawDataViewer();
      const seen = await viewer.connect(pool);
      await viewer.open(0, fastLaneLabel, fastLaneProtocol);
      await waitFor('the lane', () => seen.transport.dataChannelOpen);
      for (let sent = 0; sent < 10; sent += 1) seen.transport.sendData(Buffer.alloc(200));
      await seen.transport.close();
      await viewer.close();
    };
    const timers = (): number =>
      process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
    for (let warm = 0; warm < 10; warm += 1) await cycle();
    const heap = heapBytes();
    const before = timers();
    for (let round = 0; round < 60; round += 1) await cycle();
    await waitFor('the timers to be gone', () => timers() <= before);
    const grown = heapBytes() - heap;
    assert.ok(grown < 60 * 20_000, `${grown} bytes more after 60 connections`);
    await pool.stop();
  });
});
