import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { maxFastLanePayloadBytes, readSound } from '../../../src/media/fast-lane-packets.ts';
import { FastLaneStream } from '../../../src/media/fast-lane-stream.ts';

function sound(timestamp: number, payload = Buffer.from(`packet ${timestamp}`)) {
  return {
    payload,
    samples: 480,
    timestamp,
    marker: false,
    captureTimeNs: BigInt(timestamp) * 1_000_999n,
    discontinuity: timestamp === 960,
  };
}

describe('FastLaneStream', () => {
  test('numbers the packets, and says of each what the stream knows', () => {
    const stream = new FastLaneStream();
    for (const [index, timestamp] of [0, 480, 960].entries()) {
      const read = readSound(stream.next(sound(timestamp))?.plain() ?? new Uint8Array(0));
      assert.deepEqual(
        [read?.sequence, read?.timestamp, read?.discontinuity],
        [index, timestamp, timestamp === 960],
      );
      assert.equal(read?.captureTimeUs, Math.floor((timestamp * 1_000_999) / 1_000));
      assert.equal(String(Buffer.from(read?.payload ?? [])), `packet ${timestamp}`);
      assert.equal(read?.previous, undefined);
    }
  });

  test('wraps both numbers, and keeps redundancy across the wrap', () => {
    const stream = new FastLaneStream();
    for (let count = 0; count < 0xffff; count += 1) stream.skip();
    stream.next(sound(0x100000000 - 480));
    const read = readSound(stream.next(sound(0x100000000))?.redundant() ?? new Uint8Array(0));
    assert.deepEqual([read?.sequence, read?.timestamp], [0, 0]);
    assert.equal(String(Buffer.from(read?.previous ?? [])), `packet ${0x100000000 - 480}`);
  });

  test('has redundancy only where the packet before is contiguous', () => {
    const stream = new FastLaneStream();
    const previousOf = (timestamp: number) => {
      const packet = stream.next(sound(timestamp));
      return readSound(packet?.redundant() ?? new Uint8Array(0))?.previous !== undefined;
    };
    assert.equal(previousOf(0), false, 'the first');
    assert.equal(previousOf(480), true);
    assert.equal(previousOf(1_440), false, 'a gap');
    assert.equal(previousOf(1_920), true);
    stream.skip();
    assert.equal(previousOf(2_400), false, 'one that nobody asked for');
  });

  test('writes each message once, and one where there is no packet before', () => {
    const stream = new FastLaneStream();
    const first = stream.next(sound(0));
    assert.ok(first);
    assert.equal(first.plain(), first.plain());
    assert.equal(first.redundant(), first.plain());
    const second = stream.next(sound(480));
    assert.ok(second);
    assert.equal(second.redundant(), second.redundant());
    assert.notEqual(second.redundant(), second.plain());
  });

  test('carries no packet that is none, and spends its number', () => {
    const stream = new FastLaneStream();
    stream.next(sound(0));
    assert.equal(stream.next(sound(480, Buffer.alloc(0))), undefined);
    assert.equal(stream.next(sound(960, Buffer.alloc(maxFastLanePayloadBytes + 1))), undefined);
    const next = stream.next(sound(1_440, Buffer.alloc(maxFastLanePayloadBytes)));
    const read = readSound(next?.redundant() ?? new Uint8Array(0));
    assert.deepEqual([read?.sequence, read?.previous], [3, undefined]);
  });
});
