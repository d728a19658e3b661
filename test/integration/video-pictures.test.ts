import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { frameFlags, type MediaMessage } from '../../src/ipc/messages.ts';
import { isSegmentFrame, pictureMessage } from '../../src/video/video-frames.ts';
import { decodeVideo } from '../fixtures/decode-video.ts';
import { startVideoChild, type VideoChildProcess, videoConfig } from '../fixtures/video-child.ts';
import { waitFor } from '../fixtures/wait-for.ts';

/** What the real child sends, decoded: H.264, the slate, and pictures of main's. */

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

test('H.264 has SPS and PPS before each IDR, is constrained baseline, and decodes', async () => {
  const video = start();
  const config = videoConfig('test', { encoder: 'x264' });
  await video.configure(config);
  await waitFor('10 frames', () => video.frames.length >= 10);
  await video.configure({ ...config, keyframes: 1 });
  await waitFor('a second keyframe', () => video.frames.filter(isKeyframe).length === 2);
  const frames = [...video.frames];
  for (const { payload } of frames.filter(isKeyframe)) {
    const types = nalTypes(payload).filter((type) => type !== 9 && type !== 6);
    assert.deepEqual(types.slice(0, 3), [7, 8, 5]);
    // profile_idc 66 and constraint_set1_flag: constrained baseline (RFC 6184 §8.1).
    const sps = payload.subarray(payload.indexOf(Buffer.from([0, 0, 1, 0x67])) + 4);
    assert.equal(sps[0], 66);
    assert.ok(((sps[1] ?? 0) & 0x40) !== 0);
  }
  const decoded = await decodeVideo({
    codec: 'h264',
    width: 640,
    height: 360,
    frames: payloads(frames),
  });
  assert.ok(decoded.pictures >= frames.length - 2, `${decoded.pictures} of ${frames.length}`);
});

test('a device that is not there is told, and a slate that runs stands for it', async () => {
  const video = start();
  await video.configure(videoConfig('/dev/video97'));
  const lost = await video.event('device-lost');
  assert.equal(lost['device'], '/dev/video97');
  assert.match(String(lost['error']), /No such file or directory/);
  await waitFor('four pictures', () => video.frames.length >= 4);
  const frames = video.frames.slice(0, 4);
  assert.equal(frames[0]?.flags, frameFlags.keyframe | frameFlags.discontinuity);
  const decoded = await decodeVideo({
    codec: 'vp8',
    width: 640,
    height: 360,
    frames: payloads(frames),
  });
  const [red, green, blue] = decoded.pixel(0, 5, 5);
  assert.ok(red < 40 && green < 40 && blue < 50, `${red} ${green} ${blue}`);
  const bright = (picture: number) => {
    let count = 0;
    for (let y = 0; y < 360; y += 1) {
      for (let x = 0; x < 640; x += 1) if (decoded.pixel(picture, x, y)[1] > 180) count += 1;
    }
    return count;
  };
  assert.ok(bright(3) > 500, `${bright(3)} bright pixels`);
  const stats = await video.stats('the slate', ({ slateFrames }) => slateFrames > 0);
  assert.equal(stats.signal, 'lost');
});

test('pictures of main come back as frames of a segment, with their times, beside the live ones', async () => {
  const video = start();
  await video.configure(videoConfig('test'));
  await video.frame('a live frame', () => true);
  const colours = [
    [250, 10, 10],
    [10, 250, 10],
    [10, 10, 250],
    [250, 250, 250],
    [120, 120, 120],
  ] as const;
  for (const [index, colour] of colours.entries()) {
    const rgb = Buffer.alloc(322 * 182 * 3);
    for (let at = 0; at < rgb.length; at += 1) rgb[at] = colour[at % 3] ?? 0;
    const payload = pictureMessage({ width: 322, height: 182, rgb });
    video.channel.sendMedia({ type: 'picture', payload, timestampNs: BigInt(index + 1) });
    await video.frame(
      'its frame',
      (frame) => isSegmentFrame(frame) && frame.timestampNs === BigInt(index + 1),
    );
  }
  const segment = video.frames.filter(isSegmentFrame);
  assert.deepEqual(segment.map(isKeyframe), [true, false, false, false, false]);
  const decoded = await decodeVideo({
    codec: 'vp8',
    width: 322,
    height: 182,
    frames: payloads(segment),
  });
  assert.equal(decoded.pictures, 5);
  for (const [index, colour] of colours.entries()) {
    const pixel = decoded.pixel(index, 161, 91);
    for (const channel of [0, 1, 2] as const) {
      assert.ok(
        Math.abs(pixel[channel] - colour[channel]) < 40,
        `${index}: ${pixel} for ${colour}`,
      );
    }
  }
  const last = video.frames.length;
  await video.frame('live frames go on', (frame) => !isSegmentFrame(frame), last);
});

test('a picture that is none is counted, and the child goes on', async () => {
  const video = start();
  await video.configure(videoConfig('test'));
  video.channel.sendMedia({ type: 'picture', payload: Buffer.from([1, 2, 3]), timestampNs: 0n });
  const stats = await video.stats(
    'the count',
    ({ segmentFramesRefused }) => segmentFramesRefused === 1,
  );
  assert.equal(stats.signal, 'ok');
});

/** Types of the NAL units of an access unit in Annex B (ISO/IEC 14496-10 B.1). */
function nalTypes(unit: Buffer): number[] {
  const types: number[] = [];
  for (let at = unit.indexOf('\x00\x00\x01', 0, 'latin1'); at >= 0; ) {
    types.push((unit[at + 3] ?? 0) & 0x1f);
    at = unit.indexOf('\x00\x00\x01', at + 3, 'latin1');
  }
  return types;
}
