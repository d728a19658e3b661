import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { pino } from 'pino';
import { PictureEncoder } from '../../../src/video/picture-encoder.ts';
import type { EffectiveVideoConfig } from '../../../src/video/video-config.ts';
import { FakePipeline, settled } from '../../fixtures/fake-pipeline.ts';

const config: EffectiveVideoConfig = {
  device: 'test',
  encoder: 'vp8',
  bitrateKbps: 1_000,
  framesPerSecond: 30,
  maxWidth: 1_280,
  maxHeight: 720,
  keyframes: 0,
  active: true,
};
const picture = { rgb: Buffer.alloc(16 * 16 * 3), width: 16, height: 16, durationMs: 40 };

let pipelines: FakePipeline[];
let came: { about: string; begins: boolean }[];
let encoder: PictureEncoder<string>;
let hangs: number;

beforeEach(() => {
  pipelines = [];
  came = [];
  hangs = 0;
  encoder = new PictureEncoder(config, {
    openPipeline(options) {
      const pipeline = new FakePipeline(options);
      pipelines.push(pipeline);
      return pipeline;
    },
    board: { arch: 'x64', cores: 2 },
    log: pino({ level: 'silent' }),
    onUnit: (_unit, about, begins) => came.push({ about, begins }),
    onHang: () => {
      hangs += 1;
    },
  });
});

test('each unit comes with what its picture came with', () => {
  assert.ok(encoder.encode({ ...picture, about: 'a' }));
  assert.ok(encoder.encode({ ...picture, about: 'b' }));
  assert.deepEqual(
    pipelines[0]?.pushed.map(({ ptsNs }) => ptsNs),
    [0, 40_000_000],
  );
  pipelines[0]?.unit({ ptsNs: 0 });
  pipelines[0]?.unit({ ptsNs: 40_000_000 });
  pipelines[0]?.unit({ ptsNs: 80_000_000 });
  assert.deepEqual(came, [
    { about: 'a', begins: true },
    { about: 'b', begins: false },
  ]);
});

test('a picture that finds no room is refused and leaves no trace', () => {
  encoder.encode({ ...picture, about: 'a' });
  const [pipeline] = pipelines;
  assert.ok(pipeline);
  pipeline.takes = false;
  assert.equal(encoder.encode({ ...picture, about: 'b' }), false);
  pipeline.takes = true;
  assert.ok(encoder.encode({ ...picture, about: 'c' }));
  assert.deepEqual(
    pipeline.pushed.map(({ ptsNs }) => ptsNs),
    [0, 40_000_000],
  );
});

test('a bitrate changes the running encoder, another codec makes a new one', async () => {
  encoder.encode({ ...picture, about: 'a' });
  encoder.configure({ ...config, bitrateKbps: 600 });
  assert.deepEqual(pipelines[0]?.changes, ['encoder.target-bitrate=600000']);
  encoder.configure({ ...config, encoder: 'x264' });
  assert.ok(pipelines[0]?.closed);
  await settled();
  encoder.encode({ ...picture, about: 'b' });
  assert.match(pipelines[1]?.options.description ?? '', /x264enc/);
  pipelines[1]?.unit({ ptsNs: 0 });
  assert.deepEqual(came, [{ about: 'b', begins: true }]);
});

test('after a failure the next picture gets a new encoder', async () => {
  encoder.encode({ ...picture, about: 'a' });
  pipelines[0]?.event('error', 'no memory');
  assert.ok(pipelines[0]?.closed);
  encoder.encode({ ...picture, about: 'b' });
  await settled();
  assert.equal(pipelines.length, 2);
  assert.equal(pipelines[1]?.pushed.length, 1);
});

/** An encoder that is closed, with a picture in it, and does not end yet. */
function closedLate(): FakePipeline {
  encoder.encode({ ...picture, about: 'before' });
  const [pipeline] = pipelines;
  assert.ok(pipeline);
  pipeline.endsAtOnce = false;
  encoder.close();
  return pipeline;
}

test('pictures that come while the encoder before ends are kept for the next, in order', async () => {
  const before = closedLate();
  const rgb = Buffer.from(picture.rgb);
  assert.ok(encoder.encode({ ...picture, rgb, about: 'a' }));
  encoder.forceKeyframe();
  assert.ok(encoder.encode({ ...picture, rgb, about: 'b' }));
  encoder.configure({ ...config, bitrateKbps: 600 });
  before.unit({ ptsNs: 0 });
  await settled();
  assert.equal(pipelines.length, 1);
  await before.end();
  const next = pipelines[1];
  assert.match(next?.options.description ?? '', /target-bitrate=600000/);
  assert.deepEqual(
    next?.pushed.map(({ ptsNs }) => ptsNs),
    [0, 40_000_000],
  );
  assert.equal(next?.keyframesForced, 1);
  next?.unit({ ptsNs: 0 });
  next?.unit({ ptsNs: 40_000_000 });
  assert.deepEqual(came, [
    { about: 'a', begins: true },
    { about: 'b', begins: false },
  ]);
});

test('a keyframe that is wanted of the picture after those kept is forced', async () => {
  const before = closedLate();
  encoder.encode({ ...picture, about: 'a' });
  encoder.forceKeyframe();
  await before.end();
  assert.equal(pipelines[1]?.keyframesForced, 1);
});

test('of pictures that come while the encoder before ends eight are kept, until another close', async () => {
  const before = closedLate();
  const taken = Array.from({ length: 10 }, () => encoder.encode({ ...picture, about: 'a' }));
  assert.deepEqual(taken, [...Array(8).fill(true), false, false]);
  encoder.close();
  encoder.encode({ ...picture, about: 'b' });
  await before.end();
  assert.equal(pipelines.length, 2);
  assert.equal(pipelines[1]?.pushed.length, 1);
  assert.equal(hangs, 0);
});

test('no other encoder is made after one that does not end', async () => {
  const before = closedLate();
  encoder.encode({ ...picture, about: 'a' });
  await before.end(false);
  assert.equal(hangs, 1);
  encoder.encode({ ...picture, about: 'b' });
  await settled();
  assert.equal(pipelines.length, 1);
});
