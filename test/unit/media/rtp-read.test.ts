import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { RtpHeader, RtpPacket } from 'werift';
import { rtpHeaderBytes } from '../../../src/media/ingress-guard.ts';
import { writeRtpHeader } from '../../../src/media/rtp-packet.ts';
import { readExtensionText, readRtp } from '../../../src/media/rtp-read.ts';

const fields = { payloadType: 111, marker: true, sequence: 65_535, timestamp: 0xfffffff0, ssrc: 9 };

/** A packet cut into header and payload, as the transport opens it. */
function split(packet: Buffer): [Buffer, Buffer] {
  const bytes = rtpHeaderBytes(packet);
  return [packet.subarray(0, bytes), packet.subarray(bytes)];
}

function header(extension: Buffer, profile = 0xbede): Buffer {
  const fixed = writeRtpHeader({ ...fields, extensions: {} }, {});
  fixed.writeUInt8(0x90, 0);
  const head = Buffer.alloc(4);
  head.writeUInt16BE(profile, 0);
  head.writeUInt16BE(extension.length / 4, 2);
  return Buffer.concat([fixed, head, extension]);
}

describe('readRtp', () => {
  test('reads what another implementation wrote', () => {
    const packet = new RtpPacket(
      new RtpHeader({
        payloadType: 111,
        marker: true,
        sequenceNumber: 65_535,
        timestamp: 0xfffffff0,
        ssrc: 0xdeadbeef,
        csrc: [1, 2, 3],
        csrcLength: 3,
        extension: true,
        extensions: [{ id: 4, payload: Buffer.from('1') }],
        padding: true,
        paddingSize: 4,
      }),
      Buffer.from('opus'),
    ).serialize();
    const [head, body] = split(packet);
    assert.deepEqual(readRtp(head, body), {
      ...fields,
      ssrc: 0xdeadbeef,
      payload: Buffer.from('opus'),
    });
    assert.equal(readExtensionText(head, 4), '1');
  });

  test('takes the padding off; padding alone leaves an empty payload, and one that lies is refused', () => {
    const padded = writeRtpHeader({ ...fields, extensions: {} }, {});
    padded.writeUInt8(0xa0, 0);
    const payload = (hex: string) => readRtp(padded, Buffer.from(hex, 'hex'))?.payload;
    assert.deepEqual(payload('aabb000003'), Buffer.from('aabb', 'hex'));
    assert.equal(payload('000003')?.length, 0);
    for (const hex of ['', 'aabb00', 'aabb04']) assert.equal(payload(hex), undefined);
  });

  test('a header that is not what its lengths say is refused', () => {
    const good = writeRtpHeader({ ...fields, extensions: { mid: '1' } }, { mid: 1 });
    assert.ok(readRtp(good, Buffer.alloc(3)));
    for (const bad of [Buffer.alloc(0), good.subarray(0, 11), good.subarray(0, -1)]) {
      assert.equal(readRtp(bad, Buffer.alloc(3)), undefined);
    }
    const lying = Buffer.from(good);
    lying.writeUInt16BE(32_768, 14);
    assert.equal(readRtp(lying, Buffer.alloc(3)), undefined);
    assert.equal(readExtensionText(lying, 1), undefined);
  });
});

describe('readExtensionText', () => {
  test('finds an element behind others and padding, in the one-byte form', () => {
    const elements = Buffer.from([0x21, 1, 2, 0, 0, 0x41, 0x31, 0x32]);
    assert.equal(readExtensionText(header(elements), 4), '12');
    assert.equal(readExtensionText(header(elements), 5), undefined);
  });

  test('and in the two-byte form', () => {
    const elements = Buffer.from([2, 0, 0, 4, 2, 0x31, 0x32, 0]);
    for (const profile of [0x1000, 0x100f]) {
      assert.equal(readExtensionText(header(elements, profile), 4), '12');
    }
    assert.equal(readExtensionText(header(elements, 0x2000), 4), undefined);
  });

  test('stops at the id that ends the list, and at an element that runs over the end', () => {
    assert.equal(readExtensionText(header(Buffer.from([0xf0, 0x40, 0x31, 0])), 4), undefined);
    assert.equal(readExtensionText(header(Buffer.from([0x43, 0x31, 0, 0])), 4), undefined);
    assert.equal(readExtensionText(header(Buffer.from([4, 9, 0x31, 0]), 0x1000), 4), undefined);
    assert.equal(readExtensionText(header(Buffer.from([0, 0, 0, 4]), 0x1000), 4), undefined);
  });

  test('any bytes are read without throwing', () => {
    const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => {
      if (array[0] !== undefined) array[0] = 0x80 | (array[0] & 0x3f);
      return Buffer.from(array);
    });
    fc.assert(
      fc.property(bytes, fc.nat({ max: 15 }), (packet, id) => {
        const [head, body] = split(packet);
        const read = readRtp(head, body);
        assert.ok(read === undefined || read.payload.length <= body.length);
        readExtensionText(head, id);
        readExtensionText(packet, id);
      }),
      { numRuns: 2_000 },
    );
  });
});
