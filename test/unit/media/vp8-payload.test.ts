import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Vp8RtpPayload } from 'werift';
import { maxVideoPayloadBytes } from '../../../src/media/packet-size.ts';
import { packetizeVp8 } from '../../../src/media/vp8-payload.ts';

describe('VP8 payloads (RFC 7741)', () => {
  test('a frame of any length comes back whole from a reader that is not ours', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 9_000 }),
        fc.nat({ max: 0x7fff }),
        (bytes, pictureId) => {
          const payloads = packetizeVp8(bytes, pictureId);
          const read = payloads.map((payload) => Vp8RtpPayload.deSerialize(payload));
          assert.deepEqual(Buffer.concat(read.map(({ payload }) => payload)), Buffer.from(bytes));
          for (const [index, packet] of read.entries()) {
            assert.equal(packet.pictureId, pictureId);
            assert.equal(packet.sBit, index === 0 ? 1 : 0);
            assert.equal(packet.pid, 0);
            assert.equal(packet.nBit, 0);
          }
          const [first] = read;
          assert.equal(first?.isKeyframe, ((bytes[0] ?? 0) & 1) === 0);
        },
      ),
    );
  });

  test('packets are full but none too large, and of nearly equal size', () => {
    for (const length of [1, 1_139, 1_140, 1_141, 2_280, 2_281, 50_000]) {
      const sizes = packetizeVp8(Buffer.alloc(length), 5).map((payload) => payload.length);
      assert.ok(Math.max(...sizes) <= maxVideoPayloadBytes);
      assert.equal(sizes.length, Math.ceil(length / (maxVideoPayloadBytes - 4)));
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, `${sizes}`);
    }
  });

  test('an empty frame has no packet, and the frame may be reused afterwards', () => {
    assert.deepEqual(packetizeVp8(Buffer.alloc(0), 1), []);
    const frame = Buffer.from('frame');
    const [payload] = packetizeVp8(frame, 1);
    frame.fill(0);
    assert.equal(payload?.subarray(4).toString(), 'frame');
  });
});
