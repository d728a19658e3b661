import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { pino } from 'pino';
import type { Channel } from '../../../src/ipc/channel.ts';
import { frameFlags } from '../../../src/ipc/messages.ts';
import { VideoChild } from '../../../src/video/video-child.ts';
import { pictureMessage } from '../../../src/video/video-frames.ts';
import { FakePipeline, settled } from '../../fixtures/fake-pipeline.ts';
import { videoConfig } from '../../fixtures/video-child.ts';

interface Sent {
  readonly type: string;
  readonly body: Readonly<Record<string, unknown>>;
}

let pipelines: FakePipeline[];
let sent: Sent[];
let frames: { flags: number; timestampNs: bigint }[];
let ends: number[];
let nowNs: bigint;
let child: VideoChild;
let requests: number;

beforeEach(() => {
  mock.timers.enable({ apis: ['setInterval'] });
  pipelines = [];
  sent = [];
  frames = [];
  ends = [];
  nowNs = 1_000_000_000n;
  requests = 0;
  const channel = {
    send(type: string, body: Sent['body']) {
      sent.push({ type, body });
      return true;
    },
    sendMedia({ flags = 0, timestampNs }: { flags?: number; timestampNs: bigint }) {
      frames.push({ flags, timestampNs });
      return true;
    },
    on: () => channel,
  };
  child = new VideoChild({
    version: '0',
    log: pino({ level: 'silent' }),
    onEnd: (code) => ends.push(code),
    // Only these three are used.
    channel: channel as unknown as Pick<Channel, 'send' | 'sendMedia' | 'on'>,
    openPipeline(options) {
      const pipeline = new FakePipeline(options);
      pipelines.push(pipeline);
      return pipeline;
    },
    presentElements: async () => new Set(['vp8enc', 'x264enc']),
    exists: () => true,
    board: { arch: 'x64', cores: 2 },
    nowNs: () => nowNs,
  });
  child.start();
});
afterEach(() => {
  child.stop();
  mock.timers.reset();
});

async function configure(more: Parameters<typeof videoConfig>[1] = {}): Promise<Sent | undefined> {
  requests += 1;
  const config = { ...videoConfig('test', more) };
  child.receive({ type: 'configure', body: { id: requests, config } });
  await settled();
  return sent.findLast(({ body }) => body['id'] === requests);
}

function passMs(ms: number): void {
  nowNs += BigInt(ms) * 1_000_000n;
  mock.timers.tick(ms);
}

const live = () =>
  pipelines.filter(({ options }) => options.description.includes('videotestsrc')).at(-1);
const slate = () =>
  pipelines.filter(({ options }) => options.description.includes('appsrc')).at(-1);
const events = (name: string) =>
  sent
    .filter(({ type, body }) => type === 'event' && body['name'] === name)
    .map(({ body }) => body['data']);

test('the first configuration is answered by ready with the encoder that runs', async () => {
  const answer = await configure({ encoder: 'auto' });
  assert.equal(answer?.type, 'ready');
  assert.deepEqual(answer?.body['effective'], videoConfig('test'));
  assert.deepEqual(events('encoder'), [{ encoder: 'vp8', codec: 'vp8' }]);
});

test('a field out of range is refused, and what ran goes on', async () => {
  await configure();
  const answer = await configure({ framesPerSecond: 0 });
  assert.equal(answer?.type, 'error');
  assert.equal(answer?.body['code'], 'CONFIG_INVALID');
  assert.equal(live()?.closed, false);
  assert.deepEqual(ends, []);
});

test('a higher number of keyframes forces one, the same number none', async () => {
  await configure({ keyframes: 3 });
  assert.equal(live()?.keyframesForced, 0);
  await configure({ keyframes: 4 });
  await configure({ keyframes: 4 });
  assert.equal(live()?.keyframesForced, 1);
});

test('the slate comes as soon as the signal is gone, twice a second, and ends with the first picture', async () => {
  await configure();
  live()?.unit({ keyframe: true });
  assert.equal(pipelines.length, 1);
  live()?.event('error', 'gone');
  assert.equal(slate()?.pushed.length, 1);
  await settled();
  passMs(500);
  assert.equal(slate()?.pushed.length, 2);
  slate()?.unit({ keyframe: true, ptsNs: 0 });
  assert.equal(frames.at(-1)?.flags, frameFlags.keyframe | frameFlags.discontinuity);
  const last = slate();
  live()?.unit({ keyframe: true });
  assert.ok(last?.closed);
  assert.equal(frames.at(-1)?.flags, frameFlags.keyframe | frameFlags.discontinuity);
});

test('a device that takes long to open gets its slate after a second, and none while nobody watches', async () => {
  await configure({ active: false });
  passMs(5_000);
  assert.equal(pipelines.length, 0);
  await configure();
  passMs(500);
  assert.equal(slate(), undefined);
  passMs(500);
  assert.equal(slate()?.pushed.length, 1);
});

test('a picture of main keeps its time; its encoder ends 2 s after the last', async () => {
  await configure();
  const payload = pictureMessage({ width: 16, height: 16, rgb: Buffer.alloc(768) });
  const message = { type: 'picture', flags: 0, sequence: 0, timestampNs: 77n, payload } as const;
  child.receiveMedia(message);
  const encoder = pipelines.at(-1);
  encoder?.unit({ keyframe: true, ptsNs: 0 });
  const { keyframe, discontinuity, segment } = frameFlags;
  assert.deepEqual(frames, [{ flags: keyframe | discontinuity | segment, timestampNs: 77n }]);
  child.receiveMedia({ ...message, flags: frameFlags.keyframe });
  assert.equal(encoder?.keyframesForced, 1);
  passMs(2_001);
  child.tick();
  assert.ok(encoder?.closed);
});

test('PROTOCOL.md: a clip that begins gets an encoder of its own, and so a keyframe', async () => {
  await configure();
  const payload = pictureMessage({ width: 16, height: 16, rgb: Buffer.alloc(768) });
  const flags = frameFlags.segment | frameFlags.discontinuity;
  const message = { type: 'picture', flags, sequence: 0, timestampNs: 1n, payload } as const;
  child.receiveMedia(message);
  child.receiveMedia({ ...message, flags: frameFlags.segment, timestampNs: 2n });
  const first = pipelines.at(-1);
  child.receiveMedia({ ...message, timestampNs: 3n });
  await settled();
  const second = pipelines.at(-1);
  assert.ok(first?.closed);
  assert.notEqual(second, first);
  first?.unit({ ptsNs: 33_333_333 });
  second?.unit({ keyframe: true, ptsNs: 0 });
  assert.deepEqual(frames, [
    { flags: frameFlags.keyframe | frameFlags.discontinuity | frameFlags.segment, timestampNs: 3n },
  ]);
});

test('a driver that holds the pipeline is told, and ends the process', async () => {
  await configure();
  const pipeline = live();
  assert.ok(pipeline);
  pipeline.endsAtOnce = false;
  await configure({ active: false });
  assert.deepEqual(ends, []);
  await pipeline.end(false);
  assert.deepEqual(ends, [1]);
  assert.deepEqual(events('device-lost'), [
    { device: 'test', error: 'a call to GStreamer does not return', retryMs: 0 },
  ]);
});

test('while a pipeline ends late it answers main, shows the slate, and ends when it is told to', async () => {
  await configure();
  live()?.unit({ keyframe: true });
  const pipeline = live();
  assert.ok(pipeline);
  pipeline.endsAtOnce = false;
  pipeline.event('error', 'gone');
  const answer = await configure({ bitrateKbps: 700 });
  assert.equal(answer?.type, 'configured');
  passMs(1_000);
  assert.ok((slate()?.pushed.length ?? 0) > 1);
  child.tick();
  assert.equal(sent.at(-1)?.type, 'stats');
  assert.equal(live(), pipeline);
  child.receive({ type: 'stop', body: {} });
  assert.deepEqual(ends, [0]);
});

test('a call that does not return for a minute ends the process', async () => {
  await configure();
  const pipeline = live();
  assert.ok(pipeline);
  pipeline.numbers = { ...pipeline.numbers, busyMs: 6_000 };
  child.tick();
  assert.deepEqual(events('device-lost'), [
    { device: 'test', error: 'a call to GStreamer does not return', retryMs: 0 },
  ]);
  pipeline.numbers = { ...pipeline.numbers, busyMs: 60_001 };
  child.tick();
  assert.deepEqual(ends, [1]);
});
