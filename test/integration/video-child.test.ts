import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { frameFlags, type MediaMessage } from '../../src/ipc/messages.ts';
import { decodeVideo } from '../fixtures/decode-video.ts';
import { startVideoChild, type VideoChildProcess, videoConfig } from '../fixtures/video-child.ts';
import { waitFor } from '../fixtures/wait-for.ts';

/** The real child over a real channel, with GStreamer's test picture as its host. */

let child: VideoChildProcess | undefined;
afterEach(async () => {
  await child?.dispose();
  child = undefined;
});

function start(): VideoChildProcess {
  child = startVideoChild();
  return child;
}

const isKeyframe = ({ flags }: MediaMessage) => (flags & frameFlags.keyframe) !== 0;
const payloads = (frames: readonly MediaMessage[]) => frames.map(({ payload }) => payload);

test('the host comes as VP8 that decodes to a moving picture, captured on CLOCK_MONOTONIC', async () => {
  const video = start();
  const before = process.hrtime.bigint();
  const { body } = await video.configure(videoConfig('test'));
  assert.equal(body.effective['encoder'], 'vp8');
  await waitFor('30 frames', () => video.frames.length >= 30);
  const now = process.hrtime.bigint();
  const [first] = video.frames;
  assert.ok(first);
  assert.equal(first.flags, frameFlags.keyframe | frameFlags.discontinuity);
  const frames = video.frames.slice(0, 30);
  for (const [index, { timestampNs }] of frames.entries()) {
    assert.ok(timestampNs > before && timestampNs < now);
    assert.ok(index === 0 || timestampNs > (frames[index - 1]?.timestampNs ?? 0n));
  }
  const decoded = await decodeVideo({
    codec: 'vp8',
    width: 640,
    height: 360,
    frames: payloads(frames),
  });
  assert.equal(decoded.pictures, 30);
  let moved = 0;
  for (let x = 0; x < 640; x += 4) {
    for (let y = 0; y < 360; y += 4) {
      const [early] = decoded.pixel(0, x, y);
      const [late] = decoded.pixel(29, x, y);
      if (Math.abs(early - late) > 100) moved += 1;
    }
  }
  assert.ok(moved > 20, `${moved} samples changed`);
});

test('the test picture has the size of the limits, and the events say so', async () => {
  const video = start();
  await video.configure(videoConfig('test'));
  assert.deepEqual(await video.event('encoder'), { encoder: 'vp8', codec: 'vp8' });
  assert.deepEqual(await video.event('format'), { codec: 'vp8', width: 640, height: 360 });
  assert.deepEqual(await video.event('device-opened'), { device: 'test' });
});

test('REFERENCE 1b: a keyframe comes a frame or two after it was asked for, and not by itself', async () => {
  const video = start();
  const config = videoConfig('test');
  await video.configure(config);
  await waitFor('20 frames', () => video.frames.length >= 20);
  assert.equal(video.frames.filter(isKeyframe).length, 1);
  const from = video.frames.length;
  await video.configure({ ...config, keyframes: 1 });
  const answered = video.frames.length;
  await video.frame('a keyframe', isKeyframe, from);
  const at = video.frames.findIndex((frame, index) => index >= from && isKeyframe(frame));
  assert.ok(at - answered <= 2, `${at - answered} frames after the answer`);
  await video.configure({ ...config, keyframes: 1 });
  const asked = video.frames.length;
  await waitFor('20 more', () => video.frames.length >= asked + 20);
  assert.equal(video.frames.slice(asked).filter(isKeyframe).length, 0);
});

test('bitrate and rate change in the running pipeline', async () => {
  const video = start();
  const config = videoConfig('test', { maxWidth: 1_280, maxHeight: 720, bitrateKbps: 2_000 });
  await video.configure(config);
  const before = await video.stats('numbers', ({ measuredKbps }) => measuredKbps > 250);
  await video.configure({ ...config, bitrateKbps: 100 });
  const after = await video.stats('a lower rate', ({ measuredKbps }) => measuredKbps < 160);
  assert.equal(after.bitrateKbps, 100);
  assert.ok(after.framesPerSecond > 0);
  assert.equal(after.keyframes, before.keyframes);
  await video.configure({ ...config, bitrateKbps: 100, framesPerSecond: 5 });
  const slow = await video.stats(
    '5 pictures a second',
    ({ framesPerSecond: rate }) => rate > 0 && rate < 7,
  );
  assert.equal(slow.reopens, 0);
  const opened = video.messages.filter(
    ({ type, body }) => type === 'event' && body.name === 'device-opened',
  );
  assert.equal(opened.length, 1);
});

test('another size is a keyframe of that size in the same pipeline', async () => {
  const video = start();
  await video.configure(videoConfig('test'));
  await video.frame('a frame', () => true);
  const from = video.messages.length;
  await video.configure(videoConfig('test', { maxWidth: 320, maxHeight: 320 }));
  assert.deepEqual(await video.event('format', from), { codec: 'vp8', width: 320, height: 180 });
  const sizes = video.messages.slice(from).filter(({ type }) => type === 'event');
  assert.equal(sizes.length, 1);
  // RFC 6386 §9.1: a keyframe begins with its size.
  const small = await video.frame(
    'a keyframe of that size',
    ({ flags, payload }) => (flags & frameFlags.keyframe) !== 0 && payload.readUInt16LE(6) === 320,
  );
  assert.equal(small.payload.readUInt16LE(8), 180);
});

test('nothing is encoded while nobody watches, and pictures come back with a keyframe', async () => {
  const video = start();
  await video.configure(videoConfig('test'));
  await video.frame('a frame', () => true);
  await video.configure(videoConfig('test', { active: false }));
  const count = video.frames.length;
  await video.stats('rest', ({ framesPerSecond }) => framesPerSecond === 0);
  assert.equal(video.frames.length, count);
  await video.configure(videoConfig('test', { active: true }));
  const next = await video.frame('a frame', () => true, count);
  assert.ok(isKeyframe(next));
});

test('an encoder that is not installed is refused by name, for good', async () => {
  const video = start();
  await assert.rejects(video.configure(videoConfig('test', { encoder: 'mpph264' })), /mpph264enc/);
  assert.equal(await video.exit(), 78);
});

test('it ends with 0 when it is told to, in the middle of a picture', async () => {
  const video = start();
  await video.configure(videoConfig('test'));
  await video.frame('a frame', () => true);
  video.channel.send('stop', {});
  assert.equal(await video.exit(), 0);
});
