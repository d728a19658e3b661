import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import {
  GenericNack,
  RtcpPacketConverter,
  RtcpReceiverInfo,
  RtcpRrPacket,
  RtcpTransportLayerFeedback,
} from 'werift';
import { microphonePresets } from '../../../src/audio/presets.ts';
import type { VideoCodec } from '../../../src/ipc/video-codec.ts';
import { NtpClock } from '../../../src/media/ntp-clock.ts';
import { Peer } from '../../../src/media/peer.ts';
import { readRtcp } from '../../../src/media/rtcp-read.ts';
import type { RtpPacket } from '../../../src/media/rtp-packet.ts';
import { readAnswer } from '../../../src/media/sdp-answer.ts';
import { FakeTransport, goodAnswer, videoAnswer } from '../../fixtures/fake-transport.ts';

const msNs = 1_000_000n;
const ntp = new NtpClock({ unixMs: Date.UTC(2026, 0, 1), monotonicNs: 0n });

let nowNs: bigint;
let transport: FakeTransport;
let peer: Peer;
let wanted: number;
let timestamp: number;
let offer: string;

function makePeer(codec: VideoCodec | undefined, sync = false): Peer {
  return new Peer({
    transport,
    ntp,
    nowNs: () => nowNs,
    microphone: microphonePresets.medium,
    video: codec && { codec, maxBps: 5_000_000 },
    sync,
  });
}

async function connect(answer: string): Promise<void> {
  transport = new FakeTransport();
  peer = makePeer('vp8');
  wanted = 0;
  peer.on('keyframe-wanted', () => {
    wanted += 1;
  });
  offer = await peer.createOffer();
  peer.setAnswer(readAnswer(answer));
  transport.become('connected');
}

function sendPicture(keyframe = false, packets = 1): void {
  timestamp += 3_000;
  nowNs += 33n * msNs;
  const payloads = Array.from({ length: packets }, () => Buffer.alloc(1_000));
  const bytes = packets * 1_000;
  const captureTimeNs = nowNs - 20n * msNs;
  const picture = { codec: 'vp8', payloads, bytes, timestamp, keyframe, captureTimeNs } as const;
  if (peer.takesVideo(picture)) peer.sendVideo(picture);
}

function sendSound(): void {
  peer.sendSound({
    payload: Buffer.from('sound'),
    samples: 480,
    timestamp: 0,
    marker: true,
    captureTimeNs: nowNs - 20n * msNs,
    discontinuity: false,
  });
}

function typeOf({ header }: RtpPacket): number {
  return header.readUInt8(1) & 0x7f;
}

function sent(payloadType: number): RtpPacket[] {
  return transport.rtpSent.filter((packet) => typeOf(packet) === payloadType);
}

function ssrcOf(payloadType = 96): number {
  return sent(payloadType)[0]?.header.readUInt32BE(8) ?? assert.fail('nothing sent');
}

function pli(ssrc = ssrcOf()): Buffer {
  const packet = Buffer.alloc(12);
  packet.writeUInt32BE(0x81ce0002, 0);
  packet.writeUInt32BE(1, 4);
  packet.writeUInt32BE(ssrc, 8);
  return packet;
}

function fir(command: number, { from = 1, ssrc = ssrcOf() } = {}): Buffer {
  const packet = Buffer.alloc(20);
  packet.writeUInt32BE(0x84ce0004, 0);
  packet.writeUInt32BE(from, 4);
  packet.writeUInt32BE(ssrc, 12);
  packet.writeUInt8(command, 16);
  return packet;
}

function nack(lost: number[], ssrc = ssrcOf()): Buffer {
  return new RtcpTransportLayerFeedback({
    feedback: new GenericNack({ senderSsrc: 1, mediaSourceSsrc: ssrc, lost }),
  }).serialize();
}

/** Feedback that says so many packets from `base` on arrived, 250 µs apart. */
function feedback(base: number, packets: number, count = 0): Buffer {
  const bytes = (22 + packets + 3) & ~3;
  const packet = Buffer.alloc(bytes);
  packet.writeUInt32BE(0x8fcd0000 + bytes / 4 - 1, 0);
  packet.writeUInt16BE(base, 12);
  packet.writeUInt16BE(packets, 14);
  packet.writeUIntBE(100, 16, 3);
  packet.writeUInt8(count & 0xff, 19);
  packet.writeUInt16BE((1 << 13) | packets, 20);
  packet.fill(1, 22, 22 + packets);
  return packet;
}

beforeEach(async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  nowNs = 50_000n * msNs;
  timestamp = 0;
  await connect(goodAnswer + videoAnswer());
});

afterEach(async () => {
  await peer.close();
  mock.timers.reset();
});

describe('the picture of a peer', () => {
  test('is offered between microphone and data, in a stream of its own', () => {
    assert.match(offer, /^a=group:BUNDLE 0 1 video data\r$/m);
    assert.match(offer, /a=msid:earshot-sound host-sound\r/);
    assert.match(offer, /a=msid:earshot-picture host-picture\r/);
    assert.match(offer, /m=video 9 UDP\/TLS\/RTP\/SAVPF 96 97\r/);
  });

  test('with sync both are in one stream, of one CNAME', async () => {
    transport = new FakeTransport();
    const synced = await makePeer('h264', true).createOffer();
    assert.match(synced, /a=msid:earshot host-sound\r/);
    assert.match(synced, /a=msid:earshot host-picture\r/);
    const names = [...synced.matchAll(/cname:(\S+)/g)].map(([, name]) => name);
    assert.equal(new Set(names).size, 1);
    assert.equal(names.length, 3);
  });

  test('without one the offer has no section for it', async () => {
    transport = new FakeTransport();
    assert.doesNotMatch(await makePeer(undefined).createOffer(), /m=video/);
  });

  test('a keyframe is asked for when the viewer is connected, and begins it', () => {
    assert.equal(wanted, 1);
    sendPicture();
    assert.equal(transport.rtpSent.length, 0);
    sendPicture(true, 3);
    assert.equal(sent(96).length, 3);
  });

  test('a viewer that refuses it has the sound, and the reason is said', async () => {
    await connect(goodAnswer);
    sendPicture(true);
    sendSound();
    assert.deepEqual([sent(96).length, sent(111).length], [0, 1]);
    assert.equal(wanted, 0);
    assert.equal(peer.seesVideo, false);
    assert.match(peer.videoReason, /nothing about the picture/);
  });

  test('one transport-wide sequence counts picture and repeats; sound that does not carry it takes no number', () => {
    sendPicture(true, 2);
    sendSound();
    sendPicture();
    transport.emit('rtcp', nack([sent(96)[0]?.header.readUInt16BE(2) ?? 0]));
    const numbered = transport.rtpSent.filter((packet) => typeOf(packet) !== 111);
    assert.deepEqual(
      numbered.map(({ header }) => header.readUInt16BE(17)),
      [1, 2, 3, 4],
    );
    assert.equal(peer.counts.videoRetransmitted, 1);
  });

  test('sound that carries it is counted in the same sequence', async () => {
    const extension =
      'a=extmap:2 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n';
    await connect(`${goodAnswer}${extension}${videoAnswer()}`);
    sendPicture(true);
    sendSound();
    sendPicture();
    assert.deepEqual(
      transport.rtpSent.map(({ header }) => header.readUInt16BE(17)),
      [1, 2, 3],
    );
  });

  test('REFERENCE 1b: reports map both clocks to the same NTP time, with the octets of each source', () => {
    sendSound();
    sendPicture(true, 2);
    nowNs += 1_000n * msNs;
    peer.tick();
    const reports = RtcpPacketConverter.deSerialize(
      transport.rtcpSent.at(-1) ?? Buffer.alloc(0),
    ).filter((packet) => packet.type === 200);
    const [sound, video] = reports;
    assert.ok(sound?.type === 200 && video?.type === 200);
    assert.equal(sound.senderInfo.ntpTimestamp, video.senderInfo.ntpTimestamp);
    assert.deepEqual(
      [sound, video].map(({ ssrc, senderInfo }) => [
        ssrc,
        senderInfo.packetCount,
        senderInfo.octetCount,
      ]),
      [
        [ssrcOf(111), 1, 5],
        [ssrcOf(96), 2, 2_000],
      ],
    );
    // Captured 20 ms before it was sent, 1,000 ms ago.
    const first = sent(96)[0]?.header.readUInt32BE(4) ?? 0;
    assert.equal((video.senderInfo.rtpTimestamp - first) >>> 0, 1_020 * 90);
  });

  test('a stream that begins is reported at once', () => {
    sendSound();
    assert.equal(transport.rtcpSent.length, 1);
    sendPicture(true);
    assert.equal(transport.rtcpSent.length, 2);
    sendPicture();
    assert.equal(transport.rtcpSent.length, 2);
  });

  test('the capture time is written from the same clock, on keyframes and each second', () => {
    sendPicture(true, 2);
    for (let index = 0; index < 60; index += 1) sendPicture();
    const withTime = sent(96).filter(({ header }) => header.readUInt16BE(14) > 3);
    const indices = withTime.map((packet) => sent(96).indexOf(packet));
    assert.deepEqual(indices, [0, 31, 61]);
    const [first] = withTime;
    assert.equal(first?.header.readUInt8(19), (3 << 4) | 7);
    assert.equal(
      first?.header.readBigUInt64BE(20),
      ntp.at(50_000n * msNs + 33n * msNs - 20n * msNs),
    );
  });

  test('REFERENCE 1b: PLI and FIR ask for a keyframe; a command repeated is one command', () => {
    sendPicture(true);
    transport.emit('rtcp', pli());
    assert.equal(wanted, 2);
    for (const command of [7, 7, 7]) transport.emit('rtcp', fir(command));
    assert.equal(wanted, 3);
    transport.emit('rtcp', fir(8));
    transport.emit('rtcp', fir(8, { from: 2 }));
    assert.equal(wanted, 5);
    transport.emit('rtcp', pli(ssrcOf() + 1));
    transport.emit('rtcp', fir(9, { ssrc: ssrcOf() + 1 }));
    assert.equal(wanted, 5);
    assert.equal(peer.counts.keyframesWanted, 4);
  });

  test('what the viewer reports of it is kept apart from the sound', () => {
    sendSound();
    sendPicture(true);
    const fields = { packetsLost: 3, highestSequence: 9, lsr: 0, dlsr: 0 };
    const reports = [
      new RtcpReceiverInfo({ ssrc: ssrcOf(111), fractionLost: 0, jitter: 48, ...fields }),
      new RtcpReceiverInfo({ ssrc: ssrcOf(96), fractionLost: 64, jitter: 180, ...fields }),
    ];
    transport.emit('rtcp', new RtcpRrPacket({ ssrc: 5, reports }).serialize());
    assert.deepEqual([peer.reception.fractionLost, peer.videoReception.fractionLost], [0, 0.25]);
    assert.deepEqual([peer.reception.jitterMs, peer.videoReception.jitterMs], [1, 2]);
  });

  test('its bandwidth is unknown until the viewer gives feedback', () => {
    let told = 0;
    peer.on('bandwidth', () => {
      told += 1;
    });
    sendPicture(true, 5);
    assert.equal(peer.targetBps, undefined);
    nowNs += 30n * msNs;
    transport.emit('rtcp', feedback(1, 5));
    assert.ok((peer.targetBps ?? 0) > 0);
    assert.equal(told, 1);
  });

  test('its bandwidth begins again from the start when an ICE restart has found another path', () => {
    sendPicture(true, 5);
    nowNs += 30n * msNs;
    transport.emit('rtcp', feedback(1, 5));
    const info = { packetsLost: 1, highestSequence: 1, jitter: 0, lsr: 0, dlsr: 0 };
    const reports = [new RtcpReceiverInfo({ ssrc: ssrcOf(), fractionLost: 128, ...info })];
    transport.emit('rtcp', new RtcpRrPacket({ ssrc: 5, reports }).serialize());
    assert.ok((peer.targetBps ?? 0) < 800_000, 'the path before lost every second packet');
    let told = 0;
    peer.on('bandwidth', () => {
      told += 1;
    });
    transport.emit('restarted');
    assert.equal(peer.targetBps, 1_000_000);
    assert.equal(told, 1);
    // What the viewer still says of the path before is of no packet that this one carried.
    transport.emit('rtcp', feedback(1, 5));
    assert.equal(peer.targetBps, 1_000_000);
    sendPicture(false, 5);
    nowNs += 30n * msNs;
    transport.emit('rtcp', feedback(6, 5));
    assert.ok((peer.targetBps ?? 0) >= 1_000_000);
  });

  test('says goodbye for both streams', async () => {
    sendSound();
    sendPicture(true);
    await peer.close();
    const goodbyes = readRtcp(transport.rtcpSent.at(-1) ?? Buffer.alloc(0)).filter(
      ({ type }) => type === 'bye',
    );
    assert.equal(goodbyes.length, 2);
  });
});

describe('RTCP that lies', () => {
  test('feedback for packets never sent, of the future, of the past and twice: the target stays in its bounds', () => {
    sendPicture(true, 5);
    for (let count = 0; count < 2_000; count += 1) {
      transport.emit('rtcp', feedback((count * 7_919) & 0xffff, 200, count));
      if (count % 10 === 0) sendPicture();
      const { targetBps = 0 } = peer;
      assert.ok(targetBps >= 10_000 && targetBps <= 5_000_000, `${targetBps}`);
    }
  });

  test('a storm of NACKs for everything, of every source, sends a bounded number of packets', () => {
    sendPicture(true, 50);
    const everything = Array.from({ length: 300 }, (_, index) => index * 217);
    const known = () => sent(96).map(({ header }) => header.readUInt16BE(2));
    for (let count = 0; count < 300; count += 1) {
      transport.emit('rtcp', nack(known()));
      transport.emit('rtcp', nack(everything));
      transport.emit('rtcp', nack(everything, 12_345));
    }
    // A quarter of a second of 2 Mbit/s, in packets of some 1,050 bytes.
    assert.ok(sent(97).length <= 62, `${sent(97).length}`);
    assert.ok(sent(97).length > 0);
  });

  test('a storm of PLIs and FIRs costs an event each, and the picture goes on', () => {
    sendPicture(true);
    for (let count = 0; count < 5_000; count += 1) {
      transport.emit('rtcp', pli());
      transport.emit('rtcp', fir(count & 0xff));
    }
    sendPicture();
    assert.equal(sent(96).length, 2);
    assert.equal(peer.counts.keyframesWanted, 10_000);
  });

  test('reports of sources that are none of ours change nothing', () => {
    sendPicture(true);
    const info = {
      fractionLost: 255,
      packetsLost: 1,
      highestSequence: 1,
      jitter: 1,
      lsr: 1,
      dlsr: 1,
    };
    const reports = [new RtcpReceiverInfo({ ssrc: ssrcOf() + 1, ...info })];
    transport.emit('rtcp', new RtcpRrPacket({ ssrc: 5, reports }).serialize());
    assert.equal(peer.videoReception.fractionLost, 0);
  });
});
