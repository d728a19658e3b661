import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { CalibrationHistory } from '../../../src/media/calibration-history.ts';
import { CalibrationRun } from '../../../src/media/calibration-run.ts';
import type { SegmentPipeline } from '../../../src/media/segments/segment-pipeline.ts';
import { segmentBench } from '../../fixtures/segment-bench.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A run on a real pipeline under a manual clock. */
function setUp() {
  const told: { marker: number; viewers: readonly string[]; atMs: number }[] = [];
  const running: boolean[] = [];
  const failed: string[] = [];
  let run: CalibrationRun | undefined;
  const bench = segmentBench({
    observer: {
      marker: (id) => run?.markerOut(id),
      dropped: ({ marker }) => marker !== undefined && run?.markerDropped(marker),
    },
  });
  const { timers, pipeline } = bench;
  const beganNs = timers.nowNs();
  const format = { width: 64, height: 64, framesPerSecond: 25 };
  run = new CalibrationRun({ ...{ pipeline, timers, format } });
  run.on('marker', ({ marker, viewers }) => {
    told.push({ marker, viewers, atMs: Number(timers.nowNs() - beganNs) / 1e6 });
  });
  run.on('running', (is) => running.push(is));
  run.on('failed', ({ message }) => failed.push(message));
  closers.push(async () => {
    await run?.stop();
    await pipeline.close();
  });
  return { ...bench, run, told, running, failed };
}

test('about one marker a second for up to 8 s while enabled, marker ids counted up', async () => {
  const { timers, run, told, running, written } = setUp();
  run.enable('a', true);
  await timers.advance(20_000);
  assert.deepEqual(
    told.map(({ marker, atMs }) => [marker, atMs]),
    Array.from({ length: 8 }, (_, i) => [i + 1, 480 + i * 1_000]),
  );
  assert.deepEqual(running, [true, false]);
  // The clips follow on each other without a gap.
  const sound = written.filter(({ kind }) => kind === 'sound');
  assert.equal(sound.length, 8 * 50);
  assert.ok(sound.every(({ captureMs }, i) => captureMs === i * 20));
  run.enable('a', true);
  await timers.advance(1_500);
  assert.equal(told.at(-1)?.marker, 10);
  assert.ok(run.knows(10) && !run.knows(11) && !run.knows(0));
});

test('turned off, the clip under way is the last', async () => {
  const { timers, run, told, running } = setUp();
  run.enable('a', true);
  await timers.advance(2_600);
  run.enable('a', false);
  await timers.advance(10_000);
  assert.ok(told.length >= 3 && told.length <= 4, `${told.length} markers`);
  assert.deepEqual(running, [true, false]);
});

test('each viewer that asked is told, and has eight of its own', async () => {
  const { timers, run, told } = setUp();
  run.enable('a', true);
  await timers.advance(2_000);
  run.enable('b', true);
  await timers.advance(1_000);
  run.leave('a');
  await timers.advance(20_000);
  assert.deepEqual(
    told.map(({ viewers }) => viewers.join()),
    ['a', 'a', 'a,b', ...Array.from({ length: 7 }, () => 'b')],
  );
});

test('a clip that is dropped costs one marker, not the run', async () => {
  const { timers, encoders, run, told, running, failed } = setUp();
  encoders.failure = new Error('no encoder');
  encoders.failing = 1;
  run.enable('a', true);
  await timers.advance(20_000);
  assert.deepEqual(
    told.map(({ marker }) => marker),
    [2, 3, 4, 5, 6, 7, 8],
  );
  assert.deepEqual([running, failed], [[true, false], []]);
});

test('a pipeline that refuses or stays silent ends the run, in words', async () => {
  for (const publish of [
    async () => Promise.reject(new Error('closed')),
    async () => 'queued' as const,
  ] satisfies SegmentPipeline['publish'][]) {
    const { timers } = segmentBench();
    const failed: string[] = [];
    const run = new CalibrationRun({ pipeline: { publish }, timers });
    run.on('failed', ({ message }) => failed.push(message));
    run.enable('a', true);
    await timers.advance(16_000);
    assert.equal(failed.length, 1);
    assert.match(failed[0] ?? '', /closed|marker 1 was not sent within 15000 ms/);
    assert.equal(timers.pending, 0);
  }
});

test('stop ends it at once and for good', async () => {
  const { timers, run, told, running, failed } = setUp();
  run.enable('a', true);
  await timers.advance(100);
  await run.stop();
  await run.stop();
  run.enable('a', true);
  await timers.advance(5_000);
  assert.deepEqual([told, running, failed], [[], [true, false], []]);
});

test('the history keeps the newest offsets of each viewer, and no impossible one', () => {
  const history = new CalibrationHistory();
  const note = (marker: number, offsetMs: number, viewer = 'a', lane: 'track' | 'fast' = 'track') =>
    history.note(viewer, { ...{ marker, offsetMs, lane }, unixMs: 1_000 + marker });
  assert.deepEqual(
    [note(1, 20), note(1, 25), note(1, 30, 'a', 'fast'), note(2, 121), note(3, Number.NaN)],
    [true, false, true, false, false],
  );
  assert.equal(history.ignored, 3);
  for (const [i, offset] of [-120, 22, 24].entries()) note(10 + i, offset);
  assert.equal(history.medianMs('a', 'track'), 21);
  assert.equal(history.medianMs('a', 'fast'), 30);
  assert.equal(history.medianMs('b', 'track'), undefined);
  for (let i = 0; i < 100; i += 1) note(100 + i, i / 10);
  assert.equal(history.results('a').length, 64);
  assert.equal(history.results('a').at(-1)?.marker, 199);
  for (let i = 0; i < 100; i += 1) note(1, 0, `viewer ${i}`);
  assert.equal(history.viewers().length, 64);
  history.forget('viewer 99');
  assert.deepEqual([history.viewers().length, history.results('viewer 99')], [63, []]);
});
