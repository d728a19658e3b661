import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  canDecode,
  figuresText,
  overlayWords,
  placeholderWords,
} from '../../../../src/web/picture/picture-text.ts';
import { videoStatus } from '../../../fixtures/video-status.ts';

const ok = { ...videoStatus(), signal: 'ok', reason: '' } as const;
const lost = { ...videoStatus(), signal: 'lost', reason: '/dev/video0 went away.' } as const;
const moving = { shown: true, stillMs: 0 };

test('words stand in for a picture that is not there yet', () => {
  const picture = { shown: false };
  const words = (connection: 'connected' | 'failed', status: typeof ok | typeof lost | undefined) =>
    placeholderWords({ connection, status, picture });
  assert.equal(words('failed', ok), 'The picture comes with the connection.');
  assert.equal(words('connected', undefined), 'Waiting for the first picture.');
  assert.equal(words('connected', ok), 'Waiting for the first picture.');
  assert.equal(
    words('connected', lost),
    'The device that captures the picture is gone. /dev/video0 went away.',
  );
  assert.equal(placeholderWords({ connection: 'failed', status: lost, picture: moving }), '');
});

test('a browser without the codec is told so, and is not left waiting', () => {
  const codecs = (...mimeTypes: string[]) => ({
    codecs: mimeTypes.map((mimeType) => ({ mimeType, clockRate: 90_000 })),
    headerExtensions: [],
  });
  assert.equal(canDecode('h264', codecs('video/VP8', 'video/rtx')), false);
  assert.equal(canDecode('h264', codecs('video/VP8', 'video/H264')), true);
  assert.equal(canDecode(null, codecs()), true, 'not known yet');
  assert.equal(canDecode('vp8', null), true, 'the browser does not say');
  const status = { ...ok, codec: 'h264' } as const;
  const picture = { shown: false };
  assert.equal(
    placeholderWords({ connection: 'connected', status, picture, decodes: false }),
    'This browser cannot decode H.264, in which the device sends the picture.',
  );
});

test('over a picture it is said when it stands still, and why the device shows its slate', () => {
  assert.equal(overlayWords(moving, ok), '');
  assert.equal(overlayWords({ shown: false, stillMs: 9_000 }, lost), '');
  assert.equal(
    overlayWords({ shown: true, stillMs: 3_400 }, lost),
    'The picture stands still for 3 s.',
  );
  assert.match(overlayWords(moving, lost), /is gone\. \/dev\/video0/);
});

test('size, rate, bitrate and codec are one line, once they are known', () => {
  const nothing = undefined;
  const numbers = {
    codec: 'VP8',
    width: 1280,
    height: 720,
    framesPerSecond: 29.7,
    bitrateKbps: 1_499.6,
    jitterBufferMs: nothing,
    decodeMs: nothing,
    lossPercent: nothing,
    framesDecoded: nothing,
    framesDropped: nothing,
    keyFramesDecoded: nothing,
    freezes: nothing,
    freezesMs: nothing,
    plis: nothing,
    nacks: nothing,
  };
  assert.equal(figuresText(numbers), '1280×720 · 30 fps · 1500 kbps · VP8');
  assert.equal(
    figuresText({ ...numbers, codec: nothing, framesPerSecond: nothing }),
    '1280×720 · – fps · 1500 kbps',
  );
  assert.equal(figuresText({ ...numbers, width: nothing }), '');
  assert.equal(figuresText(nothing), '');
});
