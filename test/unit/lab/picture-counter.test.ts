import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RtpHeader } from 'werift';
import { packetizeVp8 } from '../../../src/media/vp8-payload.ts';
import { PictureCounter } from '../../lab/picture-counter.ts';

interface Packet {
  readonly header: RtpHeader;
  readonly payload: Buffer;
}

/** One picture in three packets; P (RFC 6386 §9.1) of its first byte is 0 in a keyframe. */
function picture(first: number, { timestamp = 0, keyframe = false } = {}): Packet[] {
  const frame = Buffer.alloc(3_000, 0xaa);
  frame[0] = keyframe ? 0x10 : 0x11;
  const payloads = packetizeVp8(frame, 5);
  assert.equal(payloads.length, 3);
  return payloads.map((payload, index) => ({
    payload,
    header: new RtpHeader({
      ...{ sequenceNumber: (first + index) & 0xffff, timestamp },
      marker: index === payloads.length - 1,
    }),
  }));
}

function count(packets: readonly (Packet | undefined)[]): PictureCounter {
  const counter = new PictureCounter();
  for (const packet of packets) if (packet !== undefined) counter.add(packet);
  return counter;
}

describe('counting pictures', () => {
  it('counts those of which every packet came', () => {
    const { whole, wholeKeyframes } = count([
      ...picture(65_534, { timestamp: 1, keyframe: true }),
      ...picture(1, { timestamp: 2 }),
    ]);
    assert.deepEqual([whole, wholeKeyframes], [2, 1]);
  });

  it('counts one whose packets came in another order, or twice, once', () => {
    const [a, b, c] = picture(10, { keyframe: true });
    const { whole, wholeKeyframes } = count([c, a, a, b, b, c]);
    assert.deepEqual([whole, wholeKeyframes], [1, 1]);
  });

  for (const missing of [0, 1, 2]) {
    it(`does not count one without its packet ${missing}`, () => {
      const packets = picture(10).filter((_, index) => index !== missing);
      assert.equal(count([...packets, ...picture(13, { timestamp: 1 })]).whole, 1);
    });
  }

  it('takes no notice of padding', () => {
    const header = new RtpHeader({ sequenceNumber: 12, timestamp: 0, marker: true });
    const [a, b, c] = picture(10);
    assert.equal(count([a, b, { header, payload: Buffer.alloc(0) }]).whole, 0);
    assert.equal(count([a, b, c]).whole, 1);
  });

  it('forgets what is old', () => {
    const [a, b, c] = picture(10, { timestamp: 1 });
    const others = Array.from({ length: 64 }, (_, n) => picture(100 + 3 * n, { timestamp: 2 + n }));
    assert.equal(count([a, b, ...others.flat(), c]).whole, 64);
  });
});
