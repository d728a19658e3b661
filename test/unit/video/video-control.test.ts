import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { pino } from 'pino';
import * as v from 'valibot';
import type { VideoConfig } from '../../../src/video/video-config.ts';
import { VideoControl } from '../../../src/video/video-control.ts';
import { videoStatusSchema } from '../../../src/video/video-status.ts';

const board = {
  device: 'test',
  encoder: 'auto',
  framesPerSecond: 30,
  maxWidth: 1_920,
  maxHeight: 1_080,
  minKbps: 500,
  maxKbps: 1_800,
} as const;

let sent: VideoConfig[];
let answer: () => Promise<unknown>;
let control: VideoControl;

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout'] });
  sent = [];
  answer = () => Promise.resolve({});
  control = new VideoControl({
    board,
    child: {
      configure(config) {
        // Only what childConfig() makes comes here.
        sent.push(config as VideoConfig);
        return answer();
      },
    },
    log: pino({ level: 'silent' }),
  });
});
afterEach(() => mock.timers.reset());

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('it starts idle, at the highest bitrate, with no keyframe asked for', () => {
  const { minKbps: _, maxKbps: __, ...rest } = board;
  assert.deepEqual(control.childConfig(), {
    ...rest,
    bitrateKbps: 1_800,
    keyframes: 0,
    active: false,
  });
});

test('it captures while somebody watches, and 10 s longer', async () => {
  control.setViewers(1);
  await settled();
  assert.equal(sent.at(-1)?.active, true);
  control.setViewers(0);
  mock.timers.tick(9_999);
  assert.equal(control.childConfig().active, true);
  mock.timers.tick(1);
  await settled();
  assert.equal(sent.at(-1)?.active, false);
});

test('a viewer who comes in those 10 s keeps it going', async () => {
  control.setViewers(1);
  control.setViewers(0);
  mock.timers.tick(5_000);
  control.setViewers(1);
  mock.timers.tick(20_000);
  await settled();
  assert.equal(control.childConfig().active, true);
});

test('every request for a keyframe raises the number of them, and the last one goes out', async () => {
  for (let asked = 1; asked <= 3; asked += 1) {
    control.requestKeyframe();
    assert.equal(control.childConfig().keyframes, asked);
  }
  await settled();
  assert.equal(sent.at(-1)?.keyframes, 3);
});

test('REFERENCE 1b: the bitrate stays between the configured bounds', async () => {
  for (const [asked, set] of [
    [100, 500],
    [1_234.4, 1_234],
    [9_000, 1_800],
    [Number.NaN, 1_800],
  ] as const) {
    control.setBitrate(asked);
    assert.equal(control.childConfig().bitrateKbps, set);
  }
});

test('what changes while a configuration is under way goes out as one, and nothing is lost', async () => {
  let release = () => {};
  answer = () =>
    new Promise<void>((resolve) => {
      release = resolve;
    });
  control.setViewers(1);
  for (let kbps = 600; kbps <= 1_000; kbps += 100) control.setBitrate(kbps);
  control.requestKeyframe();
  assert.equal(sent.length, 1);
  answer = () => Promise.resolve({});
  release();
  await settled();
  assert.equal(sent.length, 2);
  assert.equal(sent[1]?.bitrateKbps, 1_000);
  assert.equal(sent[1]?.keyframes, 1);
});

test('a refused configuration is no unhandled rejection, and the next one goes out', async () => {
  answer = () => Promise.reject(new Error('on purpose'));
  control.setViewers(1);
  await settled();
  answer = () => Promise.resolve({});
  control.setBitrate(700);
  await settled();
  assert.deepEqual(
    sent.map(({ bitrateKbps }) => bitrateKbps),
    [1_800, 700],
  );
});

test('what the child says becomes the status', () => {
  const codecs: string[] = [];
  control.on('codec', (codec) => codecs.push(codec));
  assert.equal(control.status().codec, null);
  control.handleChildRunning(true);
  control.handleEvent({ name: 'encoder', data: { encoder: 'vp8', codec: 'vp8' } });
  control.handleEvent({ name: 'format', data: { codec: 'vp8', width: 640, height: 360 } });
  control.handleEvent({
    name: 'signal',
    data: { signal: 'no-signal', reason: 'x', device: 'test' },
  });
  const status = v.parse(videoStatusSchema, control.status());
  assert.equal(status.signal, 'no-signal');
  assert.equal(status.reason, 'x');
  assert.equal(status.width, 640);
  assert.equal(status.codec, 'vp8');
  assert.deepEqual(codecs, ['vp8']);
});

test('odd events and numbers of the child change nothing', () => {
  control.handleChildRunning(true);
  const before = control.status();
  control.handleEvent({ name: 'signal', data: { signal: 'splendid' } });
  control.handleEvent({ name: 'format', data: { width: -1 } });
  control.handleEvent({ name: 'something', data: {} });
  control.handleStats({ framesPerSecond: 'many' });
  assert.deepEqual(control.status(), before);
});

test('a chosen encoder says its codec before the child runs', () => {
  const chosen = new VideoControl({
    board: { ...board, encoder: 'x264' },
    child: { configure: () => Promise.resolve() },
    log: pino({ level: 'silent' }),
  });
  assert.equal(chosen.codec, 'h264');
});

test('a child that went away takes its numbers with it', () => {
  control.handleChildRunning(true);
  control.handleEvent({ name: 'signal', data: { signal: 'ok', reason: '', device: 'test' } });
  control.handleChildRunning(false);
  const { signal, reason, framesPerSecond } = control.status();
  assert.deepEqual(
    { signal, reason, framesPerSecond },
    { signal: 'opening', reason: 'the video process is not running', framesPerSecond: 0 },
  );
});
