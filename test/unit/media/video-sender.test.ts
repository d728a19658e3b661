import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { NtpClock } from '../../../src/media/ntp-clock.ts';
import { PacketOutlet } from '../../../src/media/packet-outlet.ts';
import { noCounts, type PeerCounts } from '../../../src/media/peer-counts.ts';
import type { RtpPacket } from '../../../src/media/rtp-packet.ts';
import { type PacketizedPicture, VideoSender } from '../../../src/media/video-sender.ts';
import { FakeTransport } from '../../fixtures/fake-transport.ts';

const ntp = new NtpClock({ unixMs: Date.UTC(2026, 0, 1), monotonicNs: 0n });
const extensions = { mid: 1, transportSequence: 2, absCaptureTime: 3 };
const agreement = { codec: 'vp8', payloadType: 96, rtxPayloadType: 97, extensions } as const;
const payloadBytes = 1_000;

let nowMs: number;
let transport: FakeTransport;
let counts: PeerCounts;
let sender: VideoSender;
let target: number | undefined;
let queueMs: number;
let wanted: number;
let timestamp: number;
/** Transport-wide numbers that the estimator heard of. */
let reported: number[];

function picture(packets: number, keyframe = false): PacketizedPicture {
  timestamp += 3_000;
  const payloads = Array.from({ length: packets }, (_, index) =>
    Buffer.alloc(payloadBytes, index & 0xff),
  );
  return {
    codec: 'vp8',
    payloads,
    bytes: packets * payloadBytes,
    timestamp,
    keyframe,
    captureTimeNs: BigInt(Math.round(nowMs * 1e6)),
  };
}

/** Lets time pass in steps of a ms, as timers see it. */
function pass(ms: number): void {
  for (let step = 0; step < ms; step += 1) {
    nowMs += 1;
    mock.timers.tick(1);
  }
}

const number = ({ header }: RtpPacket): number => header.readUInt16BE(2);
const marker = ({ header }: RtpPacket): number => header.readUInt8(1) >> 7;
const transportNumber = ({ header }: RtpPacket): number => header.readUInt16BE(17);
const isRepeat = ({ header }: RtpPacket): boolean => (header.readUInt8(1) & 0x7f) === 97;

/** Numbers of the picture's own packets. */
function numbers(): number[] {
  return transport.rtpSent.filter((packet) => !isRepeat(packet)).map(number);
}

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout'] });
  nowMs = 10_000;
  target = undefined;
  queueMs = 0;
  wanted = 0;
  timestamp = 0;
  reported = [];
  transport = new FakeTransport();
  transport.state = 'connected';
  counts = noCounts();
  const now = (): number => nowMs;
  const witness = {
    packetSent: ({ transportSequence }: { readonly transportSequence: number }) =>
      reported.push(transportSequence),
  };
  sender = new VideoSender({
    mid: 'video',
    outlet: new PacketOutlet({ transport, witness, nowMs: now }),
    counts,
    ntp,
    nowMs: now,
    targetBps: () => target,
    queueMs: () => queueMs,
    onKeyframeWanted: () => {
      wanted += 1;
    },
  });
  sender.agree(agreement);
});

afterEach(() => {
  sender.stop();
  mock.timers.reset();
});

describe('VideoSender', () => {
  test('a picture is one batch: numbers in a row, the marker on its last packet, one timestamp', () => {
    sender.send(picture(4, true));
    sender.send(picture(2));
    const [first = 0, ...rest] = numbers();
    assert.ok(first < 0x8000);
    assert.deepEqual(
      rest,
      [1, 2, 3, 4, 5].map((step) => first + step),
    );
    assert.deepEqual(transport.rtpSent.map(marker), [0, 0, 0, 1, 0, 1]);
    const times = transport.rtpSent.map(({ header }) => header.readUInt32BE(4));
    const [start = 0] = times;
    assert.deepEqual(
      times.map((time) => (time - start) >>> 0),
      [0, 0, 0, 0, 3_000, 3_000],
    );
    assert.deepEqual(transport.rtpSent.map(transportNumber), [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(reported, [1, 2, 3, 4, 5, 6]);
    assert.deepEqual([counts.videoFrames, counts.videoKeyframes, counts.videoPackets], [2, 1, 6]);
  });

  test("a datagram stays within 1,200 bytes, and the payload is nobody's copy", () => {
    const one = picture(1, true);
    const full = { ...one, payloads: [Buffer.alloc(1_144)] };
    sender.send(full);
    sender.repeat(numbers(), { nowMs, spacingMs: 20 });
    for (const { header, payload } of transport.rtpSent) {
      assert.ok(header.length + payload.length + 16 <= 1_200);
    }
    assert.equal(transport.rtpSent[0]?.payload, full.payloads[0]);
  });

  test('a viewer that begins asks for a keyframe and gets nothing before it', () => {
    sender.start();
    assert.equal(wanted, 1);
    assert.equal(sender.takes({ codec: 'vp8', keyframe: false }), false);
    sender.send(picture(1));
    assert.equal(transport.rtpSent.length, 0);
    assert.equal(sender.takes({ codec: 'vp8', keyframe: true }), true);
    sender.send(picture(1, true));
    sender.send(picture(1));
    assert.equal(transport.rtpSent.length, 2);
    assert.equal(counts.videoFramesDropped, 0);
  });

  test('a keyframe that does not come is asked for again each second', () => {
    sender.start();
    for (let tick = 0; tick < 13; tick += 1) {
      sender.tick();
      pass(250);
    }
    assert.equal(wanted, 4);
    sender.send(picture(1, true));
    pass(2_000);
    sender.tick();
    assert.equal(wanted, 4);
  });

  test('takes no picture of another codec, nor any before it is agreed and connected', () => {
    assert.equal(sender.takes({ codec: 'h264', keyframe: true }), false);
    transport.state = 'connecting';
    assert.equal(sender.takes({ codec: 'vp8', keyframe: true }), false);
  });

  test('a full socket drops this picture and all up to the next keyframe, which is asked for', () => {
    sender.send(picture(2, true));
    transport.room = 1;
    sender.send(picture(3));
    assert.equal(wanted, 1);
    assert.equal(counts.videoFramesDropped, 1);
    transport.room = Number.POSITIVE_INFINITY;
    assert.equal(sender.takes({ codec: 'vp8', keyframe: false }), false);
    assert.equal(counts.videoFramesDropped, 2);
    sender.send(picture(1));
    assert.equal(transport.rtpSent.length, 3);
    sender.send(picture(1, true));
    const sent = numbers();
    // The numbers that the socket refused are spent: their keystream may have been used.
    assert.equal(sent.at(-1), (sent[0] ?? 0) + 5);
    assert.equal(new Set(sent).size, sent.length);
  });

  test('a large keyframe leaves over some milliseconds, in order, and what follows behind it', () => {
    target = 1_000_000;
    sender.send(picture(60, true));
    const atOnce = transport.rtpSent.length;
    assert.ok(atOnce >= 5 && atOnce <= 8, `${atOnce} at once`);
    pass(33);
    sender.send(picture(2));
    pass(300);
    assert.equal(transport.rtpSent.length, 62);
    const [first = 0] = numbers();
    assert.deepEqual(
      numbers(),
      Array.from({ length: 62 }, (_, index) => first + index),
    );
    assert.deepEqual([wanted, counts.videoFramesDropped, counts.videoFrames], [0, 0, 2]);
  });

  test('more than the path carries waits for a tenth of a second, then goes up to a keyframe', () => {
    target = 300_000;
    sender.send(picture(2, true));
    for (let index = 0; index < 60; index += 1) {
      const next = { codec: 'vp8', keyframe: false } as const;
      if (sender.takes(next)) sender.send(picture(10));
      pass(33);
    }
    assert.ok(wanted >= 1);
    assert.ok(counts.videoFramesDropped > 30, `${counts.videoFramesDropped}`);
    // The queue holds no more than what comes in 100 ms.
    assert.ok(counts.videoPackets < 60, `${counts.videoPackets}`);
    sender.send(picture(1, true));
    assert.equal(counts.videoKeyframes, 2);
  });

  test('a viewer that drops again and again asks less and less often', () => {
    const delaysMs: number[] = [];
    const drop = (): void => {
      sender.send(picture(1, true));
      transport.room = 0;
      sender.send(picture(1));
      transport.room = Number.POSITIVE_INFINITY;
    };
    const askedAfterMs = (): number => {
      const droppedMs = nowMs;
      const before = wanted;
      drop();
      while (wanted === before) {
        pass(250);
        sender.tick();
      }
      return nowMs - droppedMs;
    };
    for (let count = 0; count < 8; count += 1) delaysMs.push(askedAfterMs());
    assert.deepEqual(delaysMs, [0, 500, 1_000, 2_000, 4_000, 4_000, 4_000, 4_000]);
    sender.send(picture(1, true));
    pass(10_000);
    assert.equal(askedAfterMs(), 0);
  });

  test('the sound is numbered between the packets of a picture that waits', () => {
    target = 1_000_000;
    sender.send(picture(30, true));
    const before = transport.rtpSent.length;
    pass(50);
    const sent = transport.rtpSent.map(transportNumber);
    assert.ok(transport.rtpSent.length > before);
    assert.deepEqual(
      sent,
      Array.from({ length: sent.length }, (_, index) => index + 1),
    );
    assert.deepEqual(reported, sent);
  });

  test('stops with packets waiting: no timer is left', () => {
    target = 300_000;
    sender.send(picture(100, true));
    sender.stop();
    const sent = transport.rtpSent.length;
    pass(1_000);
    assert.equal(transport.rtpSent.length, sent);
  });
});

describe('repeats (RFC 4588)', () => {
  test('go in a stream of their own, with the original number before the payload', () => {
    sender.send(picture(3, true));
    const [, lost, last] = transport.rtpSent;
    assert.ok(lost && last);
    sender.repeat([number(lost), number(last)], { nowMs, spacingMs: 20 });
    const repeats = transport.rtpSent.filter(isRepeat);
    assert.deepEqual(
      repeats.map(({ payload }) => payload.readUInt16BE(0)),
      [number(lost), number(last)],
    );
    const [first, second] = repeats;
    assert.ok(first && second);
    assert.deepEqual(first.payload.subarray(2), lost.payload);
    assert.equal(first.header.readUInt32BE(4), lost.header.readUInt32BE(4));
    assert.deepEqual([marker(first), marker(second)], [0, 1]);
    assert.equal(first.header.readUInt32BE(8), sender.repeatSsrc);
    assert.notEqual(sender.repeatSsrc, sender.stream.ssrc);
    assert.equal(number(second), number(first) + 1);
    assert.equal(transportNumber(first), 4);
    assert.deepEqual(reported, [1, 2, 3, 4, 5]);
    assert.equal(counts.videoRetransmitted, 2);
    assert.equal(counts.videoPackets, 3);
  });

  test('across the wrap of the numbers a repeat has a new number of its own', () => {
    target = 50_000_000;
    sender.send(picture(1, true));
    for (let wrapped = false; !wrapped; ) {
      nowMs += 1;
      sender.send(picture(1));
      wrapped = number(transport.rtpSent.at(-1) ?? assert.fail()) === 10;
    }
    const lost = numbers().slice(-20);
    assert.deepEqual([lost[0], lost[19]], [65_527, 10]);
    const before = transport.rtpSent.length;
    sender.repeat(lost, { nowMs, spacingMs: 20 });
    const repeats = transport.rtpSent.slice(before);
    assert.deepEqual(
      repeats.map(({ payload }) => payload.readUInt16BE(0)),
      lost,
    );
    const [first = 0] = repeats.map(number);
    assert.deepEqual(
      repeats.map(number),
      lost.map((_, index) => first + index),
    );
  });

  test('the last 2,048 packets can be repeated, a second of 18 Mbit/s', () => {
    target = 50_000_000;
    for (let index = 0; index < 2_500; index += 1) {
      nowMs += 1;
      sender.send(picture(1, index === 0));
    }
    const sent = numbers();
    sender.repeat([sent.at(-2_049) ?? 0], { nowMs, spacingMs: 20 });
    assert.equal(counts.videoRetransmitted, 0);
    sender.repeat([sent.at(-2_048) ?? 0], { nowMs, spacingMs: 20 });
    assert.equal(counts.videoRetransmitted, 1);
  });

  test('a storm of NACKs costs its share of the bitrate and no more', () => {
    target = 1_000_000;
    for (let index = 0; index < 300; index += 1) {
      const keyframe = !sender.takes({ codec: 'vp8', keyframe: false });
      sender.send(picture(3, keyframe));
      for (let storm = 0; storm < 20; storm += 1) sender.repeat(numbers(), { nowMs, spacingMs: 5 });
      pass(33);
    }
    const bps = (counts.videoRepeatBytes * 8) / 10;
    assert.ok(bps < 0.36 * target, `${bps} bit/s`);
    assert.ok(counts.videoRetransmitted > 100);
  });

  test('so much lost that repeats would take too long: a keyframe is asked for, and nothing goes before it', () => {
    target = 400_000;
    sender.send(picture(1, true));
    for (let index = 0; index < 20; index += 1) {
      pass(33);
      sender.send(picture(1));
    }
    const [keyframe = 0, ...lost] = numbers();
    pass(2_400);
    assert.equal(wanted, 0);
    sender.repeat(lost.slice(0, 4), { nowMs, spacingMs: 50 });
    assert.deepEqual([wanted, sender.takes({ codec: 'vp8', keyframe: false })], [0, true]);
    sender.repeat(lost.slice(4), { nowMs, spacingMs: 50 });
    assert.deepEqual([wanted, sender.takes({ codec: 'vp8', keyframe: false })], [1, false]);
    const repeated = counts.videoRetransmitted;
    pass(40);
    sender.send(picture(1, true));
    pass(500);
    sender.repeat([keyframe, ...lost], { nowMs, spacingMs: 50 });
    assert.equal(counts.videoRetransmitted, repeated, 'what was before the keyframe is of no use');
    sender.repeat(numbers().slice(-1), { nowMs, spacingMs: 50 });
    assert.equal(counts.videoRetransmitted, repeated + 1);
  });

  test('few refused for a moment come a little later, without a keyframe', () => {
    target = 400_000;
    for (let index = 0; index < 8; index += 1) {
      sender.send(picture(1, index === 0));
      pass(33);
    }
    const lost = numbers().slice(-5);
    for (let asked = 0; asked < 10; asked += 1) {
      sender.repeat(lost, { nowMs, spacingMs: 1_000 });
      pass(50);
    }
    assert.deepEqual([counts.videoRetransmitted, wanted], [5, 0]);
  });

  test('repeated three times in vain: a keyframe', () => {
    sender.send(picture(2, true));
    pass(3_000);
    const [lost = 0] = numbers();
    for (let asked = 0; asked < 3; asked += 1) {
      sender.repeat([lost], { nowMs, spacingMs: 50 });
      pass(49);
      sender.repeat([lost], { nowMs, spacingMs: 50 });
      assert.equal(wanted, 0);
      pass(1);
    }
    sender.repeat([lost], { nowMs, spacingMs: 50 });
    assert.equal(wanted, 1);
  });

  test('a keyframe that lost packets is mended for three seconds before there is another', () => {
    target = 400_000;
    sender.send(picture(20, true));
    pass(300);
    const lost = numbers();
    assert.equal(lost.length, 20);
    sender.repeat(lost, { nowMs, spacingMs: 1_000 });
    assert.deepEqual([wanted, sender.takes({ codec: 'vp8', keyframe: false })], [0, true]);
    pass(2_600);
    sender.repeat(lost, { nowMs, spacingMs: 5_000 });
    assert.ok(counts.videoRetransmitted > 20 * 0.75);
    assert.equal(wanted, 0);
  });

  test('where the path has a queue, the keyframe is asked for when that is gone', () => {
    target = 400_000;
    sender.send(picture(1, true));
    for (let index = 0; index < 20; index += 1) {
      pass(33);
      sender.send(picture(1));
    }
    pass(2_400);
    queueMs = 350;
    sender.repeat(numbers(), { nowMs, spacingMs: 50 });
    pass(299);
    assert.equal(wanted, 0);
    pass(5);
    assert.equal(wanted, 1);
  });

  test('a packet goes three times at most, not twice in a round trip, and nobody gets one that never was', () => {
    sender.send(picture(1, true));
    const lost = numbers();
    sender.repeat(lost, { nowMs, spacingMs: 50 });
    pass(49);
    sender.repeat(lost, { nowMs, spacingMs: 50 });
    assert.equal(counts.videoRetransmitted, 1);
    for (let again = 0; again < 10; again += 1) {
      pass(50);
      sender.repeat(lost, { nowMs, spacingMs: 50 });
    }
    assert.equal(counts.videoRetransmitted, 3);
    sender.repeat([(lost[0] ?? 0) + 1, 60_000], { nowMs, spacingMs: 50 });
    assert.equal(counts.videoRetransmitted, 3);
  });

  test('without them agreed on nothing is repeated', () => {
    sender.agree({ ...agreement, rtxPayloadType: undefined });
    sender.send(picture(1, true));
    sender.repeat(numbers(), { nowMs, spacingMs: 5 });
    sender.pad(5_000);
    assert.equal(transport.rtpSent.length, 1);
  });

  test('padding is what was sent last, once more, and only while nothing waits', () => {
    sender.pad(2_000);
    assert.equal(transport.rtpSent.length, 0);
    sender.send(picture(5, true));
    sender.pad(2_000);
    const repeats = transport.rtpSent.filter(isRepeat);
    const sent = numbers();
    assert.deepEqual(
      repeats.map(({ payload }) => payload.readUInt16BE(0)),
      [sent[4], sent[3]],
    );
    assert.deepEqual([counts.videoPadding, counts.videoRetransmitted], [2, 0]);
    sender.pad(1e9);
    assert.ok(counts.videoPadding <= 18);
    target = 300_000;
    sender.send(picture(100, true));
    const before = counts.videoPadding;
    sender.pad(2_000);
    assert.equal(counts.videoPadding, before);
  });
});
