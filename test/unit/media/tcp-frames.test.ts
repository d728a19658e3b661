import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { maxFrameBytes, TcpFrameReader, writeTcpFrame } from '../../../src/media/tcp-frames.ts';

describe('RFC 4571 frames', () => {
  test('come out as they went in, however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 20 }),
        (datagrams, cuts) => {
          const stream = Buffer.concat(
            datagrams.flatMap((datagram) => writeTcpFrame([datagram]) ?? []),
          );
          const reader = new TcpFrameReader();
          const read: Buffer[] = [];
          for (let at = 0, turn = 0; at < stream.length; turn += 1) {
            const length = cuts[turn % cuts.length] ?? 1;
            read.push(...(reader.push(stream.subarray(at, at + length)) ?? assert.fail()));
            at += length;
          }
          assert.deepEqual(
            read.map((datagram) => datagram.toString('hex')),
            datagrams.map((datagram) => Buffer.from(datagram).toString('hex')),
          );
        },
      ),
    );
  });

  test('one that is longer than a datagram ends the stream, and is never written', () => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(maxFrameBytes + 1);
    assert.equal(new TcpFrameReader().push(length), undefined);
    assert.equal(writeTcpFrame(Buffer.alloc(maxFrameBytes + 1)), undefined);
    assert.equal(writeTcpFrame(Buffer.alloc(maxFrameBytes))?.length, maxFrameBytes + 2);
  });
});
