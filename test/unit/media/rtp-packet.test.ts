import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { RtpPacket } from 'werift';
import { rtpHeaderBytes } from '../../../src/media/ingress-guard.ts';
import { RtpHeaderTemplate, writeRtpHeader } from '../../../src/media/rtp-packet.ts';

const plain = { payloadType: 111, marker: false, sequence: 7, timestamp: 960, ssrc: 99 };

describe('writeRtpHeader', () => {
  test('without an agreed extension it is the twelve bytes of RFC 3550', () => {
    const header = writeRtpHeader({ ...plain, marker: true, extensions: { mid: '0' } }, {});
    assert.equal(header.toString('hex'), '80ef0007000003c000000063');
  });

  test('each agreed extension is found under its id by another implementation', () => {
    const header = writeRtpHeader(
      {
        ...plain,
        extensions: { mid: '0', transportSequence: 513, absCaptureTime: 0x0102030405060708n },
      },
      { mid: 1, transportSequence: 2, absCaptureTime: 3 },
    );
    const packet = RtpPacket.deSerialize(Buffer.concat([header, Buffer.from('opus')]));
    assert.deepEqual(packet.payload, Buffer.from('opus'));
    const found = new Map(packet.header.extensions.map(({ id, payload }) => [id, payload]));
    assert.equal(found.get(1)?.toString(), '0');
    assert.equal(found.get(2)?.toString('hex'), '0201');
    assert.equal(found.get(3)?.toString('hex'), '0102030405060708');
  });

  test('every field survives another implementation, and the header says its own length', () => {
    fc.assert(
      fc.property(
        fc.record({
          payloadType: fc.integer({ min: 96, max: 127 }),
          marker: fc.boolean(),
          sequence: fc.integer({ min: 0, max: 0xffff }),
          timestamp: fc.integer({ min: 0, max: 0xffffffff }),
          ssrc: fc.integer({ min: 0, max: 0xffffffff }),
        }),
        fc.subarray(['mid', 'transportSequence', 'absCaptureTime'] as const),
        (fields, agreed) => {
          const ids = Object.fromEntries(agreed.map((name, index) => [name, index + 4]));
          const header = writeRtpHeader(
            { ...fields, extensions: { mid: '12', transportSequence: 1, absCaptureTime: 2n } },
            ids,
          );
          assert.equal(rtpHeaderBytes(header), header.length);
          assert.equal(header.length % 4, 0);
          const packet = RtpPacket.deSerialize(header);
          const { payloadType, marker, sequenceNumber, timestamp, ssrc } = packet.header;
          assert.deepEqual(
            { payloadType, marker, sequence: sequenceNumber, timestamp, ssrc },
            { ...fields },
          );
        },
      ),
    );
  });
});

describe('RtpHeaderTemplate', () => {
  test('writes the same bytes, whatever was agreed', () => {
    fc.assert(
      fc.property(
        fc.record({
          marker: fc.boolean(),
          sequence: fc.integer({ min: 0, max: 0xffff }),
          timestamp: fc.integer({ min: 0, max: 0xffffffff }),
          transportSequence: fc.integer({ min: 0, max: 0xffff }),
          absCaptureTime: fc.option(fc.bigInt(0n, 0xffffffffffffffffn), { nil: undefined }),
        }),
        fc.subarray(['mid', 'transportSequence', 'absCaptureTime'] as const),
        (changes, agreed) => {
          const ids = Object.fromEntries(agreed.map((name, index) => [name, index + 1]));
          const fixed = { payloadType: 111, ssrc: 0xfedcba98 };
          const template = new RtpHeaderTemplate({ ...fixed, mid: '0' }, ids);
          const { marker, sequence, timestamp, transportSequence, absCaptureTime } = changes;
          const extensions = {
            mid: '0',
            transportSequence,
            ...(absCaptureTime !== undefined && { absCaptureTime }),
          };
          assert.deepEqual(
            template.write(changes),
            writeRtpHeader({ ...fixed, marker, sequence, timestamp, extensions }, ids),
          );
        },
      ),
    );
  });
});
