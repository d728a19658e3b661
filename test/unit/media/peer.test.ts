import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import {
  GenericNack,
  RtcpPacketConverter,
  RtcpReceiverInfo,
  RtcpRrPacket,
  RtcpTransportLayerFeedback,
} from 'werift';
import { microphonePresets } from '../../../src/audio/presets.ts';
import type { MicrophonePacket } from '../../../src/media/microphone-reception.ts';
import { NtpClock } from '../../../src/media/ntp-clock.ts';
import { Peer } from '../../../src/media/peer.ts';
import { writeSenderReport } from '../../../src/media/rtcp-write.ts';
import { writeRtpHeader } from '../../../src/media/rtp-packet.ts';
import { readAnswer } from '../../../src/media/sdp-answer.ts';
import { FakeTransport, goodAnswer, microphoneAnswer } from '../../fixtures/fake-transport.ts';

const msNs = 1_000_000n;
const microphone = microphonePresets.medium;
const ntp = new NtpClock({ unixMs: Date.UTC(2026, 0, 1), monotonicNs: 0n });

let nowNs: bigint;
let transport: FakeTransport;
let peer: Peer;
let timestamp: number;

function sendFrames(count: number, samples = 480): void {
  for (let index = 0; index < count; index += 1) {
    peer.sendSound({
      payload: Buffer.from(`frame ${timestamp}`),
      samples,
      timestamp,
      marker: false,
      captureTimeNs: nowNs - 15n * msNs,
      discontinuity: false,
    });
    timestamp += samples;
    nowNs += (BigInt(samples) * 1_000_000_000n) / 48_000n;
  }
}

function sequences(): number[] {
  return transport.rtpSent.map(({ header }) => header.readUInt16BE(2));
}

function nack(lost: number[]): Buffer {
  const ssrc = transport.rtpSent[0]?.header.readUInt32BE(8) ?? 0;
  return new RtcpTransportLayerFeedback({
    feedback: new GenericNack({ senderSsrc: 1, mediaSourceSsrc: ssrc, lost }),
  }).serialize();
}

const microphoneReport = { ssrc: 77, rtpTimestamp: 0, packets: 1, octets: 1 };

/** What a viewer sends under the source that its answer named. */
function sendMicrophone(...sequences: number[]): void {
  for (const sequence of sequences) {
    const fields = { payloadType: 111, marker: false, timestamp: sequence * 960, ssrc: 77 };
    const header = writeRtpHeader({ ...fields, sequence, extensions: {} }, {});
    transport.emit('rtp', { header, payload: Buffer.from('voice') });
  }
}

beforeEach(async () => {
  nowNs = 50_000n * msNs;
  timestamp = 0;
  transport = new FakeTransport();
  peer = new Peer({ transport, ntp, nowNs: () => nowNs, microphone });
  await peer.createOffer();
  peer.setAnswer(readAnswer(goodAnswer + microphoneAnswer));
  transport.become('connected');
});

describe('Peer', () => {
  test('sends nothing before it is connected and agreed', async () => {
    const early = new FakeTransport();
    peer = new Peer({ transport: early, ntp, nowNs: () => nowNs, microphone });
    sendFrames(1);
    await peer.createOffer();
    peer.setAnswer(readAnswer(goodAnswer));
    sendFrames(1);
    assert.equal(early.rtpSent.length, 0);
    early.become('connected');
    sendFrames(1);
    assert.equal(early.rtpSent.length, 1);
  });

  test('offers the data channel last, and hands on what comes over it', async () => {
    const offer = await new Peer({
      transport: new FakeTransport(),
      ntp,
      nowNs: () => nowNs,
      microphone,
    }).createOffer();
    assert.match(offer, /^a=group:BUNDLE 0 1 data\r$/m);
    const heard: unknown[] = [];
    peer.on('data', (message) => heard.push(message));
    peer.on('data-channel', (open) => heard.push(open));
    transport.openDataChannel(true);
    const message = Buffer.from([3]);
    transport.emit('data', message);
    assert.deepEqual(heard, [true, message]);
  });

  test('numbers packets one after another from a random start, and marks the first', () => {
    sendFrames(5);
    const [first = 0, ...rest] = sequences();
    assert.ok(first < 0x8000);
    assert.deepEqual(
      rest,
      [1, 2, 3, 4].map((step) => first + step),
    );
    const markers = transport.rtpSent.map(({ header }) => header.readUInt8(1) >> 7);
    assert.deepEqual(markers, [1, 0, 0, 0, 0]);
    const times = transport.rtpSent.map(({ header }) => header.readUInt32BE(4));
    for (const [index, time] of times.entries()) {
      assert.equal((time - (times[0] ?? 0)) >>> 0, index * 480);
    }
  });

  test('writes the capture time at once and then every second, from the clock of the reports', () => {
    sendFrames(250);
    const withTime = transport.rtpSent.flatMap(({ header }, index) =>
      header.readUInt16BE(14) > 1 ? [index] : [],
    );
    assert.deepEqual(withTime, [0, 100, 200]);
    const header = transport.rtpSent[0]?.header ?? Buffer.alloc(0);
    assert.equal(header.readUInt8(16), (3 << 4) | 7);
    assert.equal(header.readBigUInt64BE(17), ntp.at(50_000n * msNs - 15n * msNs));
  });

  test('reports at the first packet and then each second, mapping RTP to NTP exactly', () => {
    sendFrames(1);
    assert.equal(transport.rtcpSent.length, 1);
    for (let count = 0; count < 30; count += 1) {
      sendFrames(10);
      peer.tick();
    }
    assert.equal(transport.rtcpSent.length, 4);
    const firstTime = transport.rtpSent[0]?.header.readUInt32BE(4) ?? 0;
    const captured = ntp.at(50_000n * msNs - 15n * msNs);
    for (const report of transport.rtcpSent) {
      const sinceNs = ((report.readBigUInt64BE(8) - captured) * 1_000_000_000n) >> 32n;
      const samples = (report.readUInt32BE(16) - firstTime) >>> 0;
      const errorNs = Number(sinceNs) - (samples * 1e9) / 48_000;
      assert.ok(Math.abs(errorNs) <= 21_000, `${errorNs} ns`);
    }
    const last = transport.rtcpSent.at(-1);
    assert.equal(last?.readUInt32BE(20), peer.counts.packetsSent);
  });

  test("turns the viewer's report into loss, jitter and round trip", () => {
    sendFrames(1);
    const sent = transport.rtcpSent[0]?.readBigUInt64BE(8) ?? 0n;
    nowNs += 90n * msNs;
    const ssrc = transport.rtpSent[0]?.header.readUInt32BE(8) ?? 0;
    const fields = { fractionLost: 64, packetsLost: 3, highestSequence: 9, jitter: 96 };
    const lsr = Number((sent >> 16n) & 0xffffffffn);
    const report = (about: number) =>
      new RtcpRrPacket({
        ssrc: 5,
        reports: [new RtcpReceiverInfo({ ssrc: about, ...fields, lsr, dlsr: 65_536 / 20 })],
      }).serialize();
    transport.emit('rtcp', report(ssrc + 1));
    assert.deepEqual(peer.reception.roundTripMs, -1);
    transport.emit('rtcp', report(ssrc));
    const { roundTripMs, ...rest } = peer.reception;
    assert.deepEqual(rest, { packetsLost: 3, fractionLost: 0.25, jitterMs: 2 });
    // 90 ms and the 10 ms of the frame since the report, less the 50 ms that the viewer waited.
    assert.ok(Math.abs(roundTripMs - 50) < 0.1, `${roundTripMs}`);
  });

  test('repeats what was lost, byte for byte, each packet a few times and not twice in a round trip', () => {
    sendFrames(20);
    const lost = transport.rtpSent[4];
    const number = lost?.header.readUInt16BE(2) ?? 0;
    transport.emit('rtcp', nack([number]));
    transport.emit('rtcp', nack([number]));
    assert.equal(transport.rtpSent.length, 21);
    assert.equal(transport.rtpSent[20], lost);
    assert.equal(peer.counts.packetsRetransmitted, 1);
    for (let count = 0; count < 10; count += 1) {
      nowNs += 100n * msNs;
      transport.emit('rtcp', nack([number]));
    }
    assert.equal(peer.counts.packetsRetransmitted, 3);
    assert.equal(peer.counts.packetsSent, 20);
  });

  test('a demand for everything at once is capped', () => {
    sendFrames(1_000);
    transport.emit('rtcp', nack(sequences()));
    assert.equal(peer.counts.packetsRetransmitted, 50);
  });

  test('a full socket loses this packet and spends its number; it can be asked for', () => {
    sendFrames(2);
    transport.room = 0;
    sendFrames(1);
    transport.room = Number.POSITIVE_INFINITY;
    sendFrames(1);
    assert.equal(peer.counts.framesDropped, 1);
    const [, second = 0, fourth = 0] = sequences();
    assert.equal(fourth, second + 2);
    transport.emit('rtcp', nack([second + 1]));
    assert.equal(transport.rtpSent.at(-1)?.payload.toString(), 'frame 960');
  });

  test('a packet is dropped while no microphone was agreed on', async () => {
    peer = new Peer({ transport, ntp, nowNs: () => nowNs, microphone });
    await peer.createOffer();
    peer.setAnswer(readAnswer(goodAnswer));
    transport.emit('rtp', { header: Buffer.alloc(12), payload: Buffer.alloc(50) });
    assert.equal(peer.counts.microphoneDrops['not-agreed'], 1);
  });

  test('hands on the microphone, and reports it with the sender report', () => {
    const frames: MicrophonePacket[] = [];
    peer.on('microphone', (frame) => frames.push(frame));
    sendFrames(1);
    sendMicrophone(0, 1, 2, 4);
    assert.deepEqual(
      frames.map(({ sequence, timestamp, payload }) => [sequence, timestamp, String(payload)]),
      [0, 1, 2, 4].map((sequence) => [sequence, sequence * 960, 'voice']),
    );
    const at = ntp.at(nowNs);
    transport.emit('rtcp', writeSenderReport({ ...microphoneReport, ntp: at }, 'viewer'));
    nowNs += 1_000n * msNs;
    peer.tick();
    const [sr] = RtcpPacketConverter.deSerialize(transport.rtcpSent.at(-1) ?? Buffer.alloc(0));
    assert.ok(sr?.type === 200);
    const [block] = sr.reports;
    assert.ok(block);
    const { fractionLost, packetsLost, highestSequence, ssrc, lsr, dlsr } = block;
    assert.deepEqual(
      { fractionLost, packetsLost, highestSequence, ssrc },
      { fractionLost: Math.floor(256 / 5), packetsLost: 1, highestSequence: 4, ssrc: 77 },
    );
    assert.deepEqual([lsr, dlsr], [Number((at >> 16n) & 0xffffffffn), 65_536]);
  });

  test('reports the microphone alone when nothing is sent, and only while it comes', () => {
    const types = () => transport.rtcpSent.map((compound) => compound.readUInt8(1));
    peer.tick();
    assert.deepEqual(types(), []);
    sendMicrophone(0, 1);
    peer.tick();
    sendMicrophone(2);
    peer.tick();
    assert.deepEqual(types(), [201]);
    nowNs += 1_000n * msNs;
    peer.tick();
    nowNs += 1_000n * msNs;
    peer.tick();
    assert.deepEqual(types(), [201, 201]);
    sendFrames(1);
    nowNs += 1_000n * msNs;
    peer.tick();
    assert.equal(types().at(-1), 200);
  });

  test('says goodbye when it closes', async () => {
    sendFrames(1);
    await peer.close();
    assert.equal(transport.rtcpSent.at(-1)?.toString('hex').slice(-16, -8), '81cb0001');
    assert.equal(transport.closes, 1);
  });

  test('any RTCP from the viewer is survived', () => {
    sendFrames(1);
    for (const bytes of ['', '80', '81c9ffff', 'ffffffffffffffff', '8fcd000400000001']) {
      transport.emit('rtcp', Buffer.from(bytes, 'hex'));
    }
    assert.equal(transport.rtpSent.length, 1);
  });
});
