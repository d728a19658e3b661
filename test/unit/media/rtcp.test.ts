import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  GenericNack,
  PictureLossIndication,
  RtcpPacketConverter,
  RtcpReceiverInfo,
  RtcpRrPacket,
  RtcpTransportLayerFeedback,
} from 'werift';
import { readRtcp } from '../../../src/media/rtcp-read.ts';
import { writeReceiverReport, writeSenderReport } from '../../../src/media/rtcp-write.ts';

const report = { ssrc: 9, ntp: 0x0102030405060708n, rtpTimestamp: 960, packets: 3, octets: 300 };

describe('writeSenderReport', () => {
  test('another implementation reads report, name and goodbye', () => {
    for (const cname of ['a', 'ab', 'abc', 'abcd', 'earshot-1234567']) {
      const compound = writeSenderReport(report, cname);
      assert.equal(compound.length % 4, 0);
      const [sr, sdes] = RtcpPacketConverter.deSerialize(compound);
      assert.ok(sr?.type === 200 && sdes?.type === 202);
      assert.equal(sr.ssrc, 9);
      assert.equal(sr.senderInfo.ntpTimestamp, report.ntp);
      assert.equal(sr.senderInfo.rtpTimestamp, 960);
      assert.equal(sr.senderInfo.packetCount, 3);
      assert.equal(sr.senderInfo.octetCount, 300);
      assert.deepEqual(
        sdes.chunks.map(({ source, items }) => [
          source,
          items.map(({ type, text }) => [type, text]),
        ]),
        [[9, [[1, cname]]]],
      );
      const goodbye = writeSenderReport(report, cname, { goodbye: true });
      assert.deepEqual(goodbye.subarray(0, compound.length), compound);
      assert.equal(goodbye.toString('hex', compound.length), '81cb000100000009');
    }
  });

  test('counters wrap instead of throwing', () => {
    const compound = writeSenderReport(
      { ...report, packets: 2 ** 32 + 5, octets: 2 ** 40, rtpTimestamp: 2 ** 32 + 1 },
      'x',
    );
    assert.equal(compound.readUInt32BE(20), 5);
    assert.equal(compound.readUInt32BE(24), 0);
    assert.equal(compound.readUInt32BE(16), 1);
  });
});

const block = {
  ssrc: 77,
  fractionLost: 25,
  packetsLost: -2,
  highestSequence: 65_536 + 9,
  jitter: 480,
  lastSenderReport: 0xaabbccdd,
  delaySinceLast: 65_536,
};

/** As another implementation names the same. */
const theirBlock = {
  ssrc: 77,
  fractionLost: 25,
  highestSequence: 65_536 + 9,
  jitter: 480,
  lsr: 0xaabbccdd,
  dlsr: 65_536,
};

describe('what we say of the streams we receive', () => {
  test('another implementation reads it behind the sender report', () => {
    const compound = writeSenderReport(report, 'abc', { blocks: [block], goodbye: true });
    const [sr, sdes, bye] = RtcpPacketConverter.deSerialize(compound);
    assert.ok(sr?.type === 200 && sdes?.type === 202);
    assert.equal(sr.senderInfo.packetCount, 3);
    const { packetsLost, ...rest } = { ...sr.reports[0] };
    assert.deepEqual(rest, theirBlock);
    assert.equal((packetsLost ?? 0) & 0xffffff, 0xfffffe);
    assert.equal(compound.toString('hex', compound.length - 8), '81cb000100000009');
    assert.equal(bye, undefined);
  });

  test('another implementation reads it of one who sends nothing', () => {
    const compound = writeReceiverReport({ ssrc: 9, cname: 'abcd', blocks: [block] });
    const [rr, sdes] = RtcpPacketConverter.deSerialize(compound);
    assert.ok(rr?.type === 201 && sdes?.type === 202);
    assert.equal(rr.ssrc, 9);
    const { packetsLost, ...rest } = { ...rr.reports[0] };
    assert.deepEqual(rest, theirBlock);
    assert.ok(packetsLost !== undefined);
  });

  test('and we read our own', () => {
    const { highestSequence, fractionLost, ...fields } = block;
    const compound = writeSenderReport(report, 'abc', { blocks: [block] });
    assert.deepEqual(readRtcp(compound), [
      { type: 'sender-report', ssrc: 9, ntp: report.ntp },
      { type: 'report', report: { ...fields, fractionLost: 25 / 256 } },
    ]);
  });
});

describe('readRtcp', () => {
  test('reads a receiver report of another implementation', () => {
    const packet = new RtcpRrPacket({
      ssrc: 1,
      reports: [
        new RtcpReceiverInfo({
          ssrc: 9,
          fractionLost: 64,
          packetsLost: 12,
          highestSequence: 70_000,
          jitter: 48,
          lsr: 0xaabbccdd,
          dlsr: 65_536,
        }),
      ],
    });
    assert.deepEqual(readRtcp(packet.serialize()), [
      {
        type: 'report',
        report: {
          ssrc: 9,
          fractionLost: 0.25,
          packetsLost: 12,
          jitter: 48,
          lastSenderReport: 0xaabbccdd,
          delaySinceLast: 65_536,
        },
      },
    ]);
  });

  test('reads a NACK and a PLI in one compound packet', () => {
    const nack = new RtcpTransportLayerFeedback({
      feedback: new GenericNack({ senderSsrc: 1, mediaSourceSsrc: 9, lost: [65_534, 65_535, 1] }),
    });
    const pli = new PictureLossIndication({ senderSsrc: 1, mediaSsrc: 8 });
    const wrapped = Buffer.alloc(12);
    wrapped.writeUInt32BE(0x81ce0002, 0);
    pli.serialize().copy(wrapped, 4);
    assert.deepEqual(readRtcp(Buffer.concat([nack.serialize(), wrapped])), [
      { type: 'nack', ssrc: 9, sequences: [65_534, 65_535, 1] },
      { type: 'keyframe', ssrc: 8 },
    ]);
  });

  test('reads a full intra request for several streams, each with its number', () => {
    const fir = Buffer.alloc(28);
    fir.writeUInt32BE(0x84ce0006, 0);
    fir.writeUInt32BE(5, 4);
    fir.writeUInt32BE(8, 12);
    fir.writeUInt8(200, 16);
    fir.writeUInt32BE(9, 20);
    fir.writeUInt8(1, 24);
    assert.deepEqual(readRtcp(fir), [
      { type: 'full-intra', ssrc: 8, from: 5, command: 200 },
      { type: 'full-intra', ssrc: 9, from: 5, command: 1 },
    ]);
  });

  test('a NACK that asks for everything is cut at 1,024 packets', () => {
    const packet = Buffer.alloc(12 + 4 * 400, 0xff);
    packet.writeUInt32BE(0x81cd0000 + (packet.length / 4 - 1), 0);
    const [event] = readRtcp(packet);
    assert.ok(event?.type === 'nack');
    assert.equal(event.sequences.length, 1_024);
  });

  test('reads transport feedback: run length, both kinds of vector, deltas of both sizes', () => {
    const chunks = [
      0x2002, // two packets with small deltas
      0x8000 | 0b01000000000000, // fourteen one-bit symbols, the second received
      0xc000 | 0b10_00_01_00_00_00_00, // seven two-bit symbols: large, lost, small
    ];
    const body = Buffer.alloc(16 + 6 + 6);
    body.writeUInt32BE(1, 0);
    body.writeUInt32BE(9, 4);
    body.writeUInt16BE(100, 8);
    body.writeUInt16BE(2 + 14 + 3, 10);
    body.writeIntBE(-5, 12, 3);
    body.writeUInt8(2, 15);
    for (const [index, chunk] of chunks.entries()) body.writeUInt16BE(chunk, 16 + index * 2);
    body.writeUInt8(4, 22);
    body.writeUInt8(8, 23);
    body.writeUInt8(1, 24);
    body.writeInt16BE(-8, 25);
    body.writeUInt8(20, 27);
    const header = Buffer.from([0x8f, 0xcd, 0, body.length / 4]);
    const [event] = readRtcp(Buffer.concat([header, body]));
    assert.ok(event?.type === 'transport-feedback');
    const lost = (count: number) => Array.from({ length: count }, () => undefined);
    assert.deepEqual(event.feedback, {
      baseSequence: 100,
      packetCount: 19,
      referenceTime: -5,
      feedbackCount: 2,
      arrivalsUs: [1_000, 3_000, ...lost(1), 3_250, ...lost(12), 1_250, ...lost(1), 6_250],
    });
  });

  test('transport feedback that promises more than it holds is nothing', () => {
    const packet = Buffer.alloc(20);
    packet.writeUInt32BE(0x8fcd0004, 0);
    packet.writeUInt16BE(4_000, 14);
    assert.deepEqual(readRtcp(packet), []);
  });

  test('any bytes, and any damage to real packets, end in a bounded list of events', () => {
    const real = writeSenderReport(report, 'name', { goodbye: true });
    const damaged = fc
      .tuple(fc.nat({ max: real.length - 1 }), fc.nat({ max: 255 }))
      .map(([at, value]) => {
        const copy = Buffer.from(real);
        copy.writeUInt8(value, at);
        return copy;
      });
    const random = fc.uint8Array({ maxLength: 1_500 }).map((bytes) => Buffer.from(bytes));
    const framed = random.map((bytes) => {
      if (bytes.length < 4) return bytes;
      bytes.writeUInt8(0x80 | (bytes.readUInt8(0) & 0x3f), 0);
      bytes.writeUInt8(200 + (bytes.readUInt8(1) % 8), 1);
      bytes.writeUInt16BE(Math.max(0, Math.floor(bytes.length / 4) - 1), 2);
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(damaged, random, framed), (bytes) => {
        assert.ok(readRtcp(bytes).length <= 32 * 31);
      }),
      { numRuns: 2_000 },
    );
  });
});
