import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { pino } from 'pino';
import { LiveSource, type SourceState } from '../../../src/video/live-source.ts';
import type { Unit } from '../../../src/video/native/pipeline.ts';
import type { EffectiveVideoConfig } from '../../../src/video/video-config.ts';
import { FakePipeline, settled } from '../../fixtures/fake-pipeline.ts';

const config: EffectiveVideoConfig = {
  device: '/dev/video0',
  encoder: 'vp8',
  bitrateKbps: 1_000,
  framesPerSecond: 30,
  maxWidth: 1_280,
  maxHeight: 720,
  keyframes: 0,
  active: true,
};

let pipelines: FakePipeline[];
let units: { unit: Unit; discontinuity: boolean }[];
let states: SourceState[];
let lost: string[];
let opened: number;
let hangs: number;
let nowMs: number;
let deviceThere: boolean;
let source: LiveSource;

beforeEach(() => {
  pipelines = [];
  units = [];
  states = [];
  lost = [];
  opened = 0;
  hangs = 0;
  nowMs = 1_000;
  deviceThere = true;
  source = new LiveSource({
    openPipeline(options) {
      const pipeline = new FakePipeline(options);
      pipelines.push(pipeline);
      return pipeline;
    },
    board: { arch: 'x64', cores: 2 },
    log: pino({ level: 'silent' }),
    nowMs: () => nowMs,
    exists: () => deviceThere,
    onUnit: (unit, discontinuity) => units.push({ unit, discontinuity }),
    onState: (state) => states.push(state),
    onOpened: () => {
      opened += 1;
    },
    onLost: ({ error }) => lost.push(error),
    onHang: () => {
      hangs += 1;
    },
  });
});

function pipeline(): FakePipeline {
  const last = pipelines.at(-1);
  if (last === undefined) throw new Error('no pipeline was opened');
  return last;
}

/** The next one opens when this one's `end()` says so. */
function endLate(): FakePipeline {
  const last = pipeline();
  last.endsAtOnce = false;
  return last;
}

function flow(): void {
  source.configure(config);
  pipeline().event('playing');
  pipeline().unit({ keyframe: true });
}

test('nothing is opened while it is not wanted', () => {
  source.configure({ ...config, active: false });
  source.look();
  assert.equal(pipelines.length, 0);
  assert.equal(source.state.signal, 'opening');
});

test('the first picture opens the device and breaks with what came before', () => {
  flow();
  pipeline().unit();
  assert.equal(opened, 1);
  assert.deepEqual(
    units.map(({ discontinuity }) => discontinuity),
    [true, false],
  );
  assert.equal(source.state.signal, 'ok');
  assert.equal(pipeline().options.v4l2Device, '/dev/video0');
});

test('bitrate, rate and size change the running pipeline; no other is opened', () => {
  flow();
  source.configure({ ...config, bitrateKbps: 700, framesPerSecond: 10, maxWidth: 640 });
  assert.equal(pipelines.length, 1);
  assert.equal(pipeline().rate, 10);
  assert.deepEqual(
    pipeline().changes.map((change) => change.split('=')[0]),
    ['encoder.target-bitrate', 'size.caps'],
  );
});

test('another device or encoder, and rest, close the pipeline', async () => {
  flow();
  source.configure({ ...config, device: 'test' });
  assert.ok(pipelines[0]?.closed);
  await settled();
  assert.equal(pipelines.length, 2);
  source.configure({ ...config, device: 'test', encoder: 'x264' });
  await settled();
  assert.equal(pipelines.length, 3);
  source.configure({ ...config, device: 'test', encoder: 'x264', active: false });
  assert.ok(pipelines.every(({ closed }) => closed));
  assert.equal(pipelines.length, 3);
});

test('frames standing still for 2 s are no signal, and pictures go on with a keyframe only', () => {
  flow();
  nowMs += 2_000;
  source.look();
  assert.equal(source.state.signal, 'ok');
  nowMs += 1;
  source.look();
  assert.equal(source.state.signal, 'no-signal');
  pipeline().unit();
  assert.equal(pipeline().keyframesForced, 1);
  assert.equal(units.length, 1);
  pipeline().unit({ keyframe: true });
  assert.equal(source.state.signal, 'ok');
  assert.deepEqual(units.at(-1)?.discontinuity, true);
  assert.equal(pipelines.length, 1);
});

test('after 10 s of nothing the device is opened anew', async () => {
  flow();
  nowMs += 10_001;
  source.look();
  assert.ok(pipeline().closed);
  await settled();
  nowMs += 500;
  source.look();
  assert.equal(pipelines.length, 2);
  assert.equal(source.state.signal, 'no-signal');
});

test('a lost device is told once, tried again ever more slowly, and at once when its file comes back', async () => {
  source.configure(config);
  const tries: number[] = [];
  deviceThere = false;
  pipeline().event('error', 'gone', 'system error: No such device');
  assert.equal(source.state.signal, 'lost');
  const until = nowMs + 20_000;
  while (nowMs < until) {
    await settled();
    nowMs += 500;
    const before = pipelines.length;
    source.look();
    if (pipelines.length === before) continue;
    tries.push(nowMs);
    pipeline().event('error', 'gone', 'system error: No such device');
  }
  const gaps = tries.map((at, index) => at - (tries[index - 1] ?? 1_000));
  assert.deepEqual(gaps.slice(0, 6), [500, 1_000, 2_000, 4_000, 5_000, 5_000]);
  assert.deepEqual(lost, ['gone No such device']);
  await settled();
  deviceThere = true;
  nowMs += 500;
  const before = pipelines.length;
  source.look();
  assert.equal(pipelines.length, before + 1);
});

test('a device that fails and is then not found was lost once', async () => {
  flow();
  pipeline().event('error', 'Could not read.', 'at a line:\npoll error 1: No such device (19)');
  await settled();
  nowMs += 500;
  source.look();
  pipeline().event('signal', 'lost', 'it cannot be opened: No such file or directory');
  assert.deepEqual(lost, ['Could not read. poll error 1: No such device (19)']);
  assert.equal(source.state.reason, 'it cannot be opened: No such file or directory');
});

test('an input without a picture that can be taken is asked again twice a second', async () => {
  source.configure(config);
  for (const kind of ['unsupported', 'unsupported', 'no-signal', 'no-signal', 'unsupported']) {
    const before = pipelines.length;
    pipeline().event('signal', kind, 'not now');
    await settled();
    nowMs += 500;
    source.look();
    assert.equal(pipelines.length, before + 1);
  }
});

test('what the device says of its input is the state, in words', async () => {
  source.configure(config);
  pipeline().event('signal', 'unsupported', 'its timings are beyond what the device captures');
  assert.deepEqual(source.state, {
    signal: 'unsupported',
    reason: 'its timings are beyond what the device captures',
  });
  await settled();
  nowMs += 500;
  source.look();
  pipeline().event('signal', 'no-signal', 'nothing arrives at the input');
  assert.equal(source.state.signal, 'no-signal');
});

test('other timings at the input (source change) open the device anew at once', async () => {
  source.configure(config);
  pipeline().event('signal', 'ok', '1920x1080 at 60.00 Hz');
  pipeline().unit({ keyframe: true });
  pipeline().event('signal', 'ok', '1280x720 at 60.00 Hz');
  await settled();
  assert.equal(pipelines.length, 2);
  assert.ok(pipelines[0]?.closed);
});

test('a format nobody takes is unsupported, with the reason', () => {
  source.configure(config);
  pipeline().event(
    'error',
    'Internal data stream error.',
    'streaming stopped, reason not-negotiated (-4)',
  );
  assert.deepEqual(source.state, { signal: 'unsupported', reason: 'Internal data stream error.' });
});

test('a busy device is opened when the pipeline before has ended, with what is configured by then', async () => {
  flow();
  const first = endLate();
  source.configure({ ...config, encoder: 'x264' });
  source.configure({ ...config, encoder: 'x264', framesPerSecond: 10, bitrateKbps: 700 });
  nowMs += 20_000;
  source.look();
  await settled();
  assert.ok(first.closed);
  assert.equal(pipelines.length, 1);
  await first.end();
  assert.equal(pipelines.length, 2);
  assert.match(pipeline().options.description, /x264enc.* bitrate=700 /);
  assert.equal(pipeline().rate, 10);
  // It has its own time to bring a picture.
  source.look();
  assert.equal(source.state.signal, 'opening');
});

test('nothing is opened after a pipeline that ends late when nobody watches any more', async () => {
  flow();
  const first = endLate();
  source.configure({ ...config, device: 'test' });
  source.configure({ ...config, device: 'test', active: false });
  await first.end();
  assert.equal(pipelines.length, 1);
  source.configure(config);
  assert.equal(pipelines.length, 2);
  endLate();
  pipeline().event('error', 'gone');
  nowMs += 5_000;
  source.look();
  source.stop();
  await pipeline().end();
  assert.equal(pipelines.length, 2);
});

test('while a pipeline ends late the state is told, and the tries wait', async () => {
  flow();
  const first = endLate();
  first.event('error', 'Could not read.', 'system error: No such device');
  assert.deepEqual(lost, ['Could not read. No such device']);
  assert.equal(source.state.signal, 'lost');
  for (let tries = 0; tries < 4; tries += 1) {
    nowMs += 2_001;
    source.look();
  }
  assert.equal(pipelines.length, 1);
  assert.equal(source.state.signal, 'lost');
  await first.end();
  assert.equal(pipelines.length, 2);
  assert.equal(hangs, 0);
});

test('a picture that stands still while the device is opened anew is no signal after 2 s', async () => {
  source.configure(config);
  pipeline().event('signal', 'ok', '1920x1080 at 60.00 Hz');
  pipeline().unit({ keyframe: true });
  const first = endLate();
  first.event('signal', 'ok', '1280x720 at 60.00 Hz');
  source.look();
  assert.equal(source.state.signal, 'ok');
  nowMs += 2_001;
  source.look();
  assert.equal(source.state.signal, 'no-signal');
  assert.equal(pipelines.length, 1);
  await first.end();
  pipeline().unit({ keyframe: true });
  assert.equal(source.state.signal, 'ok');
  assert.equal(units.at(-1)?.discontinuity, true);
});

test('a driver that holds its pipeline is told, and its device is not opened again', async () => {
  flow();
  const first = endLate();
  source.configure({ ...config, encoder: 'x264' });
  await settled();
  assert.equal(hangs, 0);
  await first.end(false);
  assert.equal(hangs, 1);
  nowMs += 10_000;
  source.look();
  await settled();
  assert.equal(pipelines.length, 1);
});

test('counters go on over pipelines', async () => {
  flow();
  pipeline().numbers = { ...pipeline().numbers, units: 10, dropped: 2, encodeMeanMs: 5 };
  source.configure({ ...config, device: 'test' });
  await settled();
  pipeline().numbers = { ...pipeline().numbers, units: 3, encodeMeanMs: 7, busyMs: 9 };
  const { units: all, dropped, encodeMeanMs, busyMs } = source.numbers();
  assert.deepEqual(
    { all, dropped, encodeMeanMs, busyMs },
    { all: 13, dropped: 2, encodeMeanMs: 7, busyMs: 9 },
  );
});
