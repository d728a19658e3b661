import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { isEarshotError } from '../../../src/errors/earshot-error.ts';
import { resolveEncoder } from '../../../src/video/encoder-choice.ts';
import { codecOf, videoConfigSchema, videoSourceSchema } from '../../../src/video/video-config.ts';

const good = {
  device: 'test',
  encoder: 'auto',
  bitrateKbps: 1_800,
  framesPerSecond: 30,
  maxWidth: 1_920,
  maxHeight: 1_080,
  keyframes: 0,
  active: false,
};

test('the devices there can be', () => {
  for (const device of [
    'test',
    'x11::0',
    'x11::99.1',
    'x11:host.lan:0',
    '/dev/video0',
    '/dev/video12',
  ]) {
    assert.ok(v.is(videoSourceSchema, device), device);
  }
});

test('what could say more to gst-launch than a device is refused', () => {
  for (const device of [
    '',
    '/dev/video',
    '/dev/video0 ! filesink location=/etc/passwd',
    'x11:',
    'x11:":0" ! fakesink',
    '/dev/../etc/passwd',
    'test\n',
  ]) {
    assert.ok(!v.is(videoSourceSchema, device), device);
  }
});

test('each field has its bounds, and there are no others', () => {
  assert.ok(v.is(videoConfigSchema, good));
  for (const wrong of [
    { framesPerSecond: 0 },
    { framesPerSecond: 29.97 },
    { maxWidth: 0 },
    { maxHeight: 10_000 },
    { bitrateKbps: -1 },
    { keyframes: 0.5 },
    { encoder: 'av1' },
    { colour: 'blue' },
  ]) {
    assert.ok(!v.is(videoConfigSchema, { ...good, ...wrong }), JSON.stringify(wrong));
  }
});

test("auto takes the board's own encoder where its element is there, VP8 otherwise", () => {
  assert.equal(resolveEncoder('auto', new Set(['vp8enc', 'v4l2h264enc', 'mpph264enc'])), 'mpph264');
  assert.equal(resolveEncoder('auto', new Set(['vp8enc', 'v4l2h264enc'])), 'v4l2h264');
  assert.equal(resolveEncoder('auto', new Set(['vp8enc', 'x264enc'])), 'vp8');
  assert.equal(resolveEncoder('x264', new Set(['vp8enc', 'x264enc'])), 'x264');
});

test('while nobody knows what is there, it is what was chosen, or VP8', () => {
  assert.equal(resolveEncoder('auto', undefined), 'vp8');
  assert.equal(resolveEncoder('mpph264', undefined), 'mpph264');
});

test('an encoder that is not there is refused by name, with those that are', () => {
  assert.throws(
    () => resolveEncoder('mpph264', new Set(['vp8enc'])),
    (error: unknown) =>
      isEarshotError(error, 'VIDEO_ENCODER_MISSING') &&
      /"mpph264" needs .*mpph264enc.*there is vp8/.test(error.message),
  );
  assert.throws(() => resolveEncoder('auto', new Set()), /vp8enc.*no encoder is/);
});

test('VP8 is VP8, and all others are H.264', () => {
  assert.equal(codecOf('vp8'), 'vp8');
  assert.equal(codecOf('mpph264'), 'h264');
});
