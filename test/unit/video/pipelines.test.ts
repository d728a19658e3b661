import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  encoderElements,
  liveChanges,
  livePipeline,
  picturePipeline,
  vp8Speed,
  vp8Threads,
  within,
} from '../../../src/video/pipelines.ts';
import type { EffectiveVideoConfig } from '../../../src/video/video-config.ts';
import { videoEncoders } from '../../../src/video/video-config.ts';

const board = { arch: 'x64', cores: 4 };

function config(more: Partial<EffectiveVideoConfig> = {}): EffectiveVideoConfig {
  return {
    device: 'test',
    encoder: 'vp8',
    bitrateKbps: 1_200,
    framesPerSecond: 30,
    maxWidth: 1_280,
    maxHeight: 720,
    keyframes: 0,
    active: true,
    ...more,
  };
}

for (const encoder of videoEncoders) {
  test(`${encoder} encodes live pictures and pushed ones with the same settings`, () => {
    const live = livePipeline(config({ encoder }), board);
    const pictures = picturePipeline(config({ encoder }), board);
    const settings = live.slice(live.indexOf(`${encoderElements[encoder]} name=encoder`));
    assert.ok(settings.length > 40 && pictures.endsWith(settings), pictures);
    assert.match(settings, /appsink name=units sync=false/);
  });
}

test('VP8 runs in real time: no lag, a constant bitrate, no keyframes of its own', () => {
  const text = livePipeline(config(), board);
  for (const setting of [
    'deadline=1 ',
    'lag-in-frames=0',
    'end-usage=cbr',
    'target-bitrate=1200000',
    'keyframe-max-dist=1000000',
    'error-resilient=default',
  ]) {
    assert.ok(text.includes(setting), setting);
  }
});

for (const encoder of videoEncoders.filter((name) => name !== 'vp8')) {
  test(`RFC 6184: H.264 of ${encoder} is Annex B by access units, SPS and PPS before each IDR`, () => {
    const text = livePipeline(config({ encoder }), board);
    assert.match(text, /h264parse config-interval=-1/);
    assert.match(text, /stream-format=byte-stream,alignment=au/);
    assert.match(text, /profile=(constrained-)?baseline/);
  });
}

test('the sources are what the device names', () => {
  assert.match(livePipeline(config(), board), /^videotestsrc .*is-live=true/);
  const x11 = livePipeline(config({ device: 'x11::99' }), board);
  assert.match(x11, /^ximagesrc .*display-name=":99" use-damage=false show-pointer=true/);
  const v4l2 = livePipeline(config({ device: '/dev/video3' }), board);
  assert.match(v4l2, /^v4l2src name=source device=\/dev\/video3 /);
});

test('a queue of one picture that leaks stands before the encoder', () => {
  assert.match(
    livePipeline(config(), board),
    /queue name=source-queue max-size-buffers=1 .*leaky=downstream/,
  );
});

test('a changed bitrate, rate or size is a property of the running pipeline', () => {
  assert.deepEqual(liveChanges(config(), config()), []);
  assert.deepEqual(liveChanges(config(), config({ bitrateKbps: 700 })), [
    { element: 'encoder', property: 'target-bitrate', value: '700000' },
  ]);
  assert.deepEqual(
    liveChanges(config({ encoder: 'x264' }), config({ encoder: 'x264', bitrateKbps: 700 })),
    [{ element: 'encoder', property: 'bitrate', value: '700' }],
  );
  const [size] = liveChanges(config(), config({ maxWidth: 641 }));
  assert.equal(size?.element, 'size');
  assert.match(size?.value ?? '', /width=\[2,640,2\],height=\[2,720,2\]/);
  const [rate] = liveChanges(config(), config({ framesPerSecond: 10 }));
  assert.deepEqual([rate?.element, rate?.property], ['source-caps', 'caps']);
  assert.match(rate?.value ?? '', /framerate=10\/1/);
});

test('a capture device goes as its signal does: its rate is limited behind it alone', () => {
  const device = '/dev/video0';
  assert.deepEqual(liveChanges(config({ device }), config({ device, framesPerSecond: 10 })), []);
});

test('the hardware encoders take a bitrate while they run', () => {
  const changes = (encoder: EffectiveVideoConfig['encoder']) =>
    liveChanges(config({ encoder }), config({ encoder, bitrateKbps: 900 }));
  assert.match(changes('v4l2h264')[0]?.value ?? '', /^controls,.*video_bitrate=900000/);
  assert.deepEqual(changes('mpph264')[0], { element: 'encoder', property: 'bps', value: '900000' });
});

test('a picture is scaled down into the limits, its shape kept and its sides even', () => {
  const limits = { maxWidth: 1_280, maxHeight: 720 };
  assert.deepEqual(within({ width: 1_920, height: 1_080 }, limits), { width: 1_280, height: 720 });
  assert.deepEqual(within({ width: 1_024, height: 768 }, limits), { width: 960, height: 720 });
  assert.deepEqual(within({ width: 641, height: 361 }, limits), { width: 640, height: 360 });
  assert.deepEqual(within({ width: 5_000, height: 1 }, limits), { width: 1_280, height: 2 });
});

test('weaker boards encode VP8 faster', () => {
  assert.ok(vp8Speed({ arch: 'arm', cores: 1 }) < vp8Speed({ arch: 'arm64', cores: 4 }));
  assert.ok(vp8Speed({ arch: 'arm64', cores: 4 }) < vp8Speed({ arch: 'x64', cores: 8 }));
});

test('VP8 leaves cores free, since its threads spin while they wait', () => {
  assert.deepEqual(
    [1, 2, 4, 8, 64].map((cores) => vp8Threads({ arch: 'arm64', cores })),
    [1, 1, 2, 4, 4],
  );
});
