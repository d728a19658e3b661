import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { microphonePresets } from '../../../src/audio/presets.ts';
import type { VideoCodec } from '../../../src/ipc/video-codec.ts';
import type { EncodedVideoFrame } from '../../../src/media/media-types.ts';
import { NtpClock } from '../../../src/media/ntp-clock.ts';
import { Peer } from '../../../src/media/peer.ts';
import { noCounts } from '../../../src/media/peer-counts.ts';
import { readAnswer } from '../../../src/media/sdp-answer.ts';
import { VideoBroadcast } from '../../../src/media/video-broadcast.ts';
import { FakeTransport, goodAnswer, videoAnswer } from '../../fixtures/fake-transport.ts';

const ntp = new NtpClock({ unixMs: Date.UTC(2026, 0, 1), monotonicNs: 0n });

interface Viewer {
  readonly key: object;
  readonly peer: Peer;
  readonly transport: FakeTransport;
}

let nowMs: number;
let wantedMs: number[];
let bitrates: number[];
let viewers: number[];
let broadcast: VideoBroadcast<object>;

function pass(ms: number): void {
  for (let step = 0; step < ms; step += 1) {
    nowMs += 1;
    mock.timers.tick(1);
  }
}

async function join(answer = goodAnswer + videoAnswer(), key: object = {}): Promise<Viewer> {
  const transport = new FakeTransport();
  const peer = new Peer({
    transport,
    ntp,
    nowNs: () => BigInt(nowMs) * 1_000_000n,
    microphone: microphonePresets.medium,
    video: broadcast.offer,
  });
  broadcast.follow(key, peer);
  await peer.createOffer();
  peer.setAnswer(readAnswer(answer));
  transport.become('connected');
  return { key, peer, transport };
}

function frame(keyframe = false, codec: VideoCodec = 'vp8', bytes = 3_000): EncodedVideoFrame {
  const payload = Buffer.alloc(bytes, keyframe ? 0 : 1);
  const captureTimeNs = BigInt(nowMs) * 1_000_000n;
  return { codec, payload, keyframe, captureTimeNs, discontinuity: false };
}

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout'] });
  nowMs = 5_000;
  wantedMs = [];
  bitrates = [];
  viewers = [];
  broadcast = new VideoBroadcast({
    nowMs: () => nowMs,
    onKeyframeWanted: () => wantedMs.push(nowMs),
    onViewers: (count) => viewers.push(count),
    onBitrate: (kbps) => bitrates.push(kbps),
  });
  broadcast.set({ codec: 'vp8' });
});

afterEach(() => {
  broadcast.stop();
  mock.timers.reset();
});

describe('VideoBroadcast', () => {
  test('every viewer gets the same payloads, in a stream of its own', async () => {
    const [first, second] = [await join(), await join()];
    broadcast.publish(frame(true));
    const [one, two] = [first.transport.rtpSent, second.transport.rtpSent];
    assert.deepEqual([one.length, two.length], [3, 3]);
    for (const [index, packet] of one.entries()) {
      assert.equal(packet.payload, two[index]?.payload);
      assert.notEqual(packet.header.readUInt32BE(8), two[index]?.header.readUInt32BE(8));
    }
  });

  test('a late viewer begins with a keyframe asked for at once, and the others never stop', async () => {
    const first = await join();
    broadcast.publish(frame(true));
    pass(1_000);
    const second = await join();
    assert.deepEqual(wantedMs, [5_000, 6_000]);
    broadcast.publish(frame());
    assert.deepEqual([first.transport.rtpSent.length, second.transport.rtpSent.length], [6, 0]);
    broadcast.publish(frame(true));
    assert.equal(second.transport.rtpSent.length, 3);
  });

  test('many who ask within 300 ms have one keyframe, at the end of it', async () => {
    await join();
    pass(100);
    await Promise.all([join(), join(), join()]);
    pass(1_000);
    assert.deepEqual(wantedMs, [5_000, 5_300]);
    assert.equal(broadcast.stats(noCounts()).keyframesRequested, 2);
  });

  test('what asks beside the viewers shares their 300 ms, and the answer', async () => {
    broadcast.requestKeyframe();
    assert.deepEqual(wantedMs, [5_000]);
    pass(100);
    await join();
    broadcast.requestKeyframe();
    pass(1_000);
    assert.deepEqual(wantedMs, [5_000, 5_300]);
    broadcast.requestKeyframe();
    broadcast.requestKeyframe();
    broadcast.publish(frame(true));
    pass(1_000);
    assert.deepEqual(wantedMs, [5_000, 5_300, 6_100]);
    assert.equal(broadcast.stats(noCounts()).keyframesRequested, 3);
  });

  test('a viewer whose socket is full misses pictures up to a keyframe, nobody else does', async () => {
    const [slow, fast] = [await join(), await join()];
    broadcast.publish(frame(true));
    pass(400);
    slow.transport.room = 1;
    broadcast.publish(frame());
    slow.transport.room = Number.POSITIVE_INFINITY;
    pass(33);
    broadcast.publish(frame());
    assert.equal(wantedMs.length, 2);
    assert.deepEqual([slow.transport.rtpSent.length, fast.transport.rtpSent.length], [4, 9]);
    assert.equal(broadcast.status(slow.key, slow.peer.counts)?.framesDropped, 2);
    assert.equal(broadcast.status(fast.key, fast.peer.counts)?.framesDropped, 0);
    broadcast.publish(frame(true));
    assert.equal(slow.transport.rtpSent.length, 7);
  });

  test('nothing is put into packets with nobody to take it', async () => {
    const huge = frame(true, 'vp8', 5_000_000);
    broadcast.publish(huge);
    const viewer = await join(goodAnswer);
    broadcast.publish(huge);
    assert.equal(broadcast.stats(viewer.peer.counts).framesRefused, 0);
    await join();
    broadcast.publish(huge);
    assert.deepEqual(
      [broadcast.stats(noCounts()).framesPublished, broadcast.stats(noCounts()).framesRefused],
      [3, 1],
    );
  });

  test('says how many see it: connected, and agreed to it', async () => {
    const first = await join();
    const second = await join();
    await join(goodAnswer);
    assert.deepEqual(viewers, [1, 2]);
    second.transport.become('failed', 'The viewer stopped answering.');
    broadcast.forget(first.key);
    assert.deepEqual(viewers, [1, 2, 1, 0]);
    broadcast.tick();
    assert.equal(viewers.length, 4);
  });

  test('pictures that are none are counted', async () => {
    await join();
    broadcast.publish(frame(true, 'vp8', 0));
    assert.equal(broadcast.stats(noCounts()).framesRefused, 1);
  });

  test('a viewer is told why it sees nothing', async () => {
    const refusing = await join(goodAnswer);
    const { key, peer } = await join();
    assert.match(broadcast.status(refusing.key, peer.counts)?.reason ?? '', /nothing about/);
    assert.equal(broadcast.status(key, peer.counts)?.reason, '');
    broadcast.set({ codec: 'h264' });
    assert.match(broadcast.status(key, peer.counts)?.reason ?? '', /reload the page/);
    broadcast.publish(frame(true, 'h264'));
    assert.equal(broadcast.stats(peer.counts).viewers, 1);
    assert.equal(peer.counts.videoPackets, 0);
    assert.equal(broadcast.status({}, peer.counts), undefined);
  });

  test('the bitrate is that of the viewer with the least, within its range, and the best with nobody there', async () => {
    assert.deepEqual(bitrates, [1_800]);
    const { key, transport } = await join();
    broadcast.publish(frame(true));
    pass(1_000);
    const feedback = Buffer.from('8fcd00050000000100000000000100010000640020010100', 'hex');
    transport.emit('rtcp', feedback);
    broadcast.tick();
    const least = bitrates.at(-1) ?? 0;
    assert.ok(least >= 500 && least < 1_800, `${least}`);
    assert.equal(broadcast.stats(noCounts()).bitrateKbps, least);
    pass(1_000);
    broadcast.forget(key);
    assert.equal(bitrates.at(-1), 1_800);
    broadcast.set({ codec: 'vp8', minKbps: 1_000, maxKbps: 6_000 });
    assert.equal(bitrates.at(-1), 6_000);
    assert.equal(broadcast.offer?.maxBps, 9_230_770, 'what 6 Mbit/s are 65 % of');
    assert.throws(() => broadcast.set({ codec: 'vp8', minKbps: 2, maxKbps: 1 }), RangeError);
  });

  test('the RTP time of a moment is as the viewer sees it', async () => {
    const { key, transport } = await join();
    assert.equal(broadcast.rtpTime(key, 0n), undefined);
    const captured = BigInt(nowMs) * 1_000_000n;
    broadcast.publish(frame(true));
    const first = transport.rtpSent[0]?.header.readUInt32BE(4) ?? 0;
    assert.equal(broadcast.rtpTime(key, captured), first);
    const later = broadcast.rtpTime(key, captured + 1_000_000_000n) ?? 0;
    assert.equal((later - first) >>> 0, 90_000);
    const earlier = broadcast.rtpTime(key, captured - 1_000_000_000n) ?? 0;
    assert.equal((first - earlier) >>> 0, 90_000);
    assert.equal(broadcast.rtpTime({}, captured), undefined);
  });

  test('a new peer takes the place of the one before: the old one gets nothing', async () => {
    const old = await join();
    await old.peer.close();
    const renewed = await join(goodAnswer + videoAnswer(), old.key);
    broadcast.publish(frame(true));
    assert.deepEqual([old.transport.rtpSent.length, renewed.transport.rtpSent.length], [0, 3]);
  });
});
