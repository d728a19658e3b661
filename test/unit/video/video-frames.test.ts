import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frameFlags, type MediaMessage } from '../../../src/ipc/messages.ts';
import {
  isSegmentFrame,
  pictureMessage,
  readPicture,
  videoFrame,
} from '../../../src/video/video-frames.ts';

function message(more: Partial<MediaMessage> = {}): MediaMessage {
  return {
    type: 'video',
    flags: 0,
    sequence: 0,
    timestampNs: 7n,
    payload: Buffer.from([1, 2, 3]),
    ...more,
  };
}

test('a frame of the child is what the media path takes', () => {
  const flags = frameFlags.keyframe | frameFlags.discontinuity;
  assert.deepEqual(videoFrame(message({ flags }), 'h264'), {
    codec: 'h264',
    payload: Buffer.from([1, 2, 3]),
    keyframe: true,
    captureTimeNs: 7n,
    discontinuity: true,
  });
});

test('what is no picture is none', () => {
  assert.equal(videoFrame(message({ type: 'opus' }), 'vp8'), undefined);
  assert.equal(videoFrame(message({ payload: Buffer.alloc(0) }), 'vp8'), undefined);
});

test('frames of a segment are told apart', () => {
  assert.equal(isSegmentFrame(message({ flags: frameFlags.segment | frameFlags.keyframe })), true);
  assert.equal(isSegmentFrame(message({ flags: frameFlags.keyframe })), false);
});

test('PROTOCOL.md: a picture is its width and height in 16 bits each, then RGB', () => {
  const rgb = Buffer.alloc(32 * 16 * 3, 9);
  const payload = pictureMessage({ width: 32, height: 16, rgb });
  assert.deepEqual([...payload.subarray(0, 5)], [32, 0, 16, 0, 9]);
  assert.deepEqual(readPicture(payload), { width: 32, height: 16, rgb });
});

test('bytes that are no picture of their size are refused', () => {
  assert.throws(() => pictureMessage({ width: 32, height: 16, rgb: Buffer.alloc(5) }), RangeError);
  const good = pictureMessage({ width: 32, height: 16, rgb: Buffer.alloc(32 * 16 * 3) });
  assert.equal(readPicture(good.subarray(0, -1)), undefined);
  assert.equal(readPicture(Buffer.concat([good, Buffer.alloc(1)])), undefined);
  assert.equal(readPicture(Buffer.alloc(3)), undefined);
  assert.equal(readPicture(Buffer.from([1, 0, 1, 0, 0, 0, 0])), undefined);
});
