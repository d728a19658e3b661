import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeVideo } from '../fixtures/decode-video.ts';
import { startVideoChild, videoConfig } from '../fixtures/video-child.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { missingXServer, startXScreen } from '../lab/x-screen.ts';

const skip = missingXServer() ?? false;

test('an X display is captured, scaled into the limits with its shape kept', { skip }, async () => {
  const screen = await startXScreen({ width: 800, height: 600, root: 'white' });
  const video = startVideoChild();
  try {
    await video.configure(videoConfig(`x11:${screen.display}`));
    const { width, height } = await video.event('format');
    assert.deepEqual({ width, height }, { width: 480, height: 360 });
    await waitFor('10 frames', () => video.frames.length >= 10);
    const frames = video.frames.map(({ payload }) => payload);
    const decoded = await decodeVideo({ codec: 'vp8', width: 480, height: 360, frames });
    for (const side of decoded.pixel(9, 20, 20)) assert.ok(side > 240, String(side));
  } finally {
    await video.dispose();
    await screen.stop();
  }
});

test('a display that is not there is lost until it is: then its picture comes', {
  skip,
}, async () => {
  const first = await startXScreen({ width: 640, height: 480, root: 'white' });
  await first.stop();
  const video = startVideoChild();
  try {
    await video.configure(videoConfig(`x11:${first.display}`));
    const lost = await video.event('device-lost');
    assert.match(String(lost['error']), /is no X display that can be opened/);
    await video.frame('the slate', () => true);
    const second = await startXScreen({
      width: 1_024,
      height: 576,
      root: 'black',
      display: first.display,
    });
    try {
      await video.event('device-opened');
      const from = video.messages.length;
      await video.stats(
        'pictures of it',
        ({ signal, framesPerSecond }) => signal === 'ok' && framesPerSecond > 1,
      );
      assert.ok(video.messages.length > from);
    } finally {
      await video.dispose();
      await second.stop();
    }
  } finally {
    await video.dispose();
  }
});
