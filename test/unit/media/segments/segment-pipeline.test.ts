import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isEarshotError } from '../../../../src/errors/earshot-error.ts';
import { RtpClock } from '../../../../src/media/rtp-clock.ts';
import { VideoClock } from '../../../../src/media/video-clock.ts';
import { clip, segmentBench } from '../../../fixtures/segment-bench.ts';

/** How a promise ended, or that it has not. */
function watch(promise: Promise<unknown>): { state: string } {
  const watched = { state: 'waits' };
  promise.then(
    (value) => {
      watched.state = String(value);
    },
    (error: unknown) => {
      watched.state = isEarshotError(error) ? error.code : String(error);
    },
  );
  return watched;
}

test('REFERENCE 1b: Segments: raw RGB frames + PCM + epoch, depth-1 queue → VP8/Opus encode → depth-1 queue → paced publish', async () => {
  const { timers, encoders, pipeline, written } = segmentBench();
  // One is published, one encoded waits for it, one is encoded, one waits: the fifth finds no room.
  const states = Array.from({ length: 5 }, () => watch(pipeline.publish(clip(1_000))));
  await timers.settle();
  assert.deepEqual(
    states.map(({ state }) => state),
    ['queued', 'queued', 'queued', 'queued', 'waits'],
  );
  assert.equal(encoders.started, 6);
  await timers.advance(1_000);
  assert.equal(states[4]?.state, 'queued');
  await timers.advance(4_000);
  assert.equal(written.length, 5 * (50 + 25));
  assert.equal(pipeline.counts().published, 5);
  await pipeline.close();
  assert.equal(timers.pending, 0);
});

test('REFERENCE 1b: Pacing: audio and video samples are written at their deadlines in merged order', async () => {
  const { timers, pipeline, written, ended } = segmentBench();
  await pipeline.publish(clip(200));
  await timers.advance(300);
  assert.deepEqual(
    written.map(({ kind, captureMs }) => `${kind} ${captureMs}`),
    [0, 40, 80, 120, 160].flatMap((ms) => [`sound ${ms}`, `picture ${ms}`, `sound ${ms + 20}`]),
  );
  for (const { atMs, captureMs } of written) assert.equal(atMs, captureMs);
  assert.deepEqual([ended[0]?.slipMs, ended[0]?.whole], [0, true]);
  await pipeline.close();
});

test('REFERENCE 1b: Pacing: the largest slip over 20 ms is reported, and the capture times stay the deadlines', async () => {
  const { timers, pipeline, written, ended } = segmentBench();
  await pipeline.publish(clip(400));
  await timers.advance(100);
  await timers.stall(70);
  await timers.advance(400);
  assert.equal(ended[0]?.slipMs, 50);
  const late = written.filter(({ atMs, captureMs }) => atMs > captureMs);
  assert.ok(late.length > 0 && late.every(({ atMs }) => atMs === 170));
  assert.deepEqual(
    written.filter(({ kind }) => kind === 'sound').map(({ captureMs }) => captureMs),
    Array.from({ length: 20 }, (_, i) => i * 20),
  );
  await pipeline.publish(clip(400));
  await timers.advance(110);
  await timers.stall(20);
  await timers.advance(400);
  assert.equal(ended[1]?.slipMs, 0);
  await pipeline.close();
});

test('a stall of the machine is a gap: what is left is not sent in one burst', async () => {
  const { timers, pipeline, written } = segmentBench();
  await pipeline.publish(clip(400));
  await timers.advance(90);
  const before = written.length;
  await timers.stall(5_000);
  assert.ok(written.length <= before + 2, `${written.length - before} at once`);
  await timers.advance(400);
  const clock = new RtpClock();
  const steps = written
    .filter(({ kind }) => kind === 'sound')
    .map(({ captureTimeNs }) => clock.step({ samples: 960, bytes: 40, captureTimeNs }));
  assert.equal(steps.length, 20);
  assert.deepEqual(
    steps.filter(({ skipped }) => skipped > 0).map(({ skipped }) => skipped / 48 > 4_900),
    [true],
  );
  await pipeline.close();
});

test('REFERENCE 1b: Epoch: a monotone maximum, 0 ignored', async () => {
  const { pipeline } = segmentBench();
  const seen = [5, 3, 0, Number.NaN, -1, 6, 6.5].map((epoch) => {
    pipeline.setEpoch(epoch);
    return pipeline.epoch;
  });
  assert.deepEqual(seen, [5, 5, 5, 5, 5, 6, 6]);
  assert.equal(await pipeline.publish(clip(40, { epoch: 9 })), 'queued');
  assert.equal(pipeline.epoch, 9);
  assert.equal(await pipeline.publish(clip(40, { epoch: 0 })), 'queued');
  await pipeline.close();
});

test('REFERENCE 1b: older segments are dropped at enqueue, encode, publish and between samples', async () => {
  const { timers, encoders, pipeline, written, dropped } = segmentBench();
  pipeline.setEpoch(2);
  assert.equal(await pipeline.publish(clip(400)), 'stale');
  assert.equal(pipeline.counts().staleAtEnqueue, 1);
  // One between its samples, one encoded and waiting, one in the encoder, one before it.
  const states = [0, 1, 2, 3].map((picture) =>
    watch(pipeline.publish(clip(400, { epoch: 2, marker: { id: picture, picture } }))),
  );
  await timers.settle();
  encoders.delayMs = Number.POSITIVE_INFINITY;
  states.push(watch(pipeline.publish(clip(400, { epoch: 2 }))));
  await timers.advance(90);
  const count = written.length;
  assert.ok(count > 0);
  pipeline.setEpoch(3);
  await timers.advance(1_000);
  assert.equal(written.length, count);
  const { staleAtEncode, staleAtPublish, staleBetweenSamples, failed } = pipeline.counts();
  assert.equal(staleBetweenSamples, 1);
  assert.ok(staleAtPublish >= 1, 'none was dropped before it was published');
  assert.ok(staleAtEncode >= 1, 'none was dropped before it was encoded');
  assert.equal(staleAtEncode + staleAtPublish + staleBetweenSamples, 5);
  assert.equal(failed, 0);
  assert.deepEqual(dropped.slice().sort(), [0, 1, 2, 3, undefined]);
  await pipeline.close();
});

test('an encoder at work for an older epoch is told to stop', async () => {
  const { timers, encoders, pipeline } = segmentBench();
  encoders.delayMs = Number.POSITIVE_INFINITY;
  await pipeline.publish(clip(400));
  await timers.settle();
  pipeline.setEpoch(2);
  await timers.settle();
  assert.equal(encoders.aborts, 2);
  assert.equal(pipeline.counts().staleAtEncode, 1);
  await pipeline.close();
});

test('REFERENCE 1b: Fence: an empty segment that passes both stages in order', async () => {
  const { timers, pipeline, written } = segmentBench();
  await pipeline.publish(clip(400));
  const fence = watch(pipeline.fence());
  await pipeline.publish(clip(400));
  await timers.advance(379);
  assert.equal(fence.state, 'waits');
  await timers.advance(5);
  assert.deepEqual([fence.state, written.length], ['undefined', 20 + 10]);
  assert.equal(pipeline.counts().fences, 1);
  await pipeline.close();
});

test('REFERENCE 1b: Fence: enqueue and wait are bounded (10 s)', async () => {
  const { timers, encoders, pipeline } = segmentBench({ encodeDeadlineMs: 60_000 });
  encoders.delayMs = Number.POSITIVE_INFINITY;
  await pipeline.publish(clip(400));
  const waits = pipeline.fence();
  const wait = watch(waits);
  const enqueues = pipeline.fence();
  const enqueue = watch(enqueues);
  await timers.advance(9_990);
  assert.deepEqual([wait.state, enqueue.state], ['waits', 'waits']);
  await timers.advance(20);
  assert.deepEqual([wait.state, enqueue.state], ['MEDIA_SEGMENT_TIMEOUT', 'MEDIA_SEGMENT_TIMEOUT']);
  await assert.rejects(waits, /The fence did not pass the segments before it within 10000 ms/);
  await assert.rejects(enqueues, /The segment before it was not encoded within 10000 ms/);
  await pipeline.close();
  assert.equal(timers.pending, 0);
});

test('REFERENCE 1b: RTP gap: over max(2 × frame, 40 ms) both tracks are advanced by the whole gap, uncapped; at or below it, by nothing', async () => {
  for (const [framesPerSecond, gapMs, skips] of [
    [25, 80, false],
    [25, 81, true],
    [100, 40, false],
    [100, 41, true],
    [10, 200, false],
    [10, 201, true],
    [25, 7_200_000, true],
  ] as const) {
    const { timers, pipeline, of, begun } = segmentBench();
    const one = clip(400, { framesPerSecond, pictures: clip(0.4 * framesPerSecond * 40).pictures });
    await pipeline.publish(one);
    await timers.advance(400 + gapMs);
    await pipeline.publish(one);
    await timers.advance(2_000);
    const sound = new RtpClock();
    const steps = of('sound').map(({ captureTimeNs }) =>
      sound.step({ samples: 960, bytes: 40, captureTimeNs }),
    );
    assert.equal(steps[20]?.skipped, skips ? gapMs * 48 : 0, `${framesPerSecond}/s, ${gapMs} ms`);
    assert.equal(steps[20]?.timestamp, 20 * 960 + (skips ? gapMs * 48 : 0));
    assert.equal(steps.filter(({ skipped }) => skipped > 0).length, skips ? 1 : 0);
    const video = new VideoClock();
    const stamps = of('picture').map(({ captureTimeNs }) => video.at(captureTimeNs));
    const count = one.pictures.length;
    assert.equal(stamps[count], 400 * 90 + (skips ? gapMs * 90 : 0));
    assert.deepEqual(
      begun.map(({ skippedMs }) => skippedMs),
      [0, skips ? gapMs : 0],
    );
    assert.equal(of('sound')[20]?.discontinuity, skips);
    assert.equal(pipeline.counts().gapsSkipped, skips ? 1 : 0);
    await pipeline.close();
  }
});

test('segments that follow on each other have capture times without a seam', async () => {
  const { timers, pipeline, of } = segmentBench();
  for (let i = 0; i < 3; i += 1) await pipeline.publish(clip(200));
  await timers.advance(1_000);
  assert.deepEqual(
    of('sound').map(({ captureMs }) => captureMs),
    Array.from({ length: 30 }, (_, i) => i * 20),
  );
  assert.deepEqual(
    of('picture').map(({ captureMs }) => captureMs),
    Array.from({ length: 15 }, (_, i) => i * 40),
  );
  await pipeline.close();
});

test('sound shorter than its pictures is padded with silence, so that its clock does not fall behind', async () => {
  const { timers, pipeline, of } = segmentBench();
  await pipeline.publish(clip(400, { pcm: new Int16Array(2 * 961) }));
  await timers.advance(500);
  assert.equal(of('sound').length, 20);
  await pipeline.publish(clip(400, { pcm: new Int16Array(0) }));
  await timers.advance(500);
  assert.deepEqual([of('sound').length, of('picture').length], [20, 20]);
  await pipeline.close();
});

test('REFERENCE 1b: PublishAudio: plain PCM, no picture', async () => {
  const { timers, pipeline, of, begun } = segmentBench();
  assert.equal(await pipeline.publishAudio(new Int16Array(2 * 4_800)), 'queued');
  await timers.advance(200);
  assert.deepEqual([of('sound').length, of('picture').length], [5, 0]);
  assert.deepEqual([begun[0]?.hasSound, begun[0]?.hasPicture], [true, false]);
  pipeline.setEpoch(4);
  assert.equal(await pipeline.publishAudio(new Int16Array(2), { epoch: 3 }), 'stale');
  await pipeline.close();
});

test('a marker is told when its picture is written', async () => {
  const { timers, pipeline, markers } = segmentBench();
  await pipeline.publish(clip(400, { marker: { id: 7, picture: 5 } }));
  await timers.advance(199);
  assert.deepEqual(markers, []);
  await timers.advance(1);
  assert.deepEqual(markers, [7]);
  await pipeline.close();
});

test('an encoder that fails, or gives too little, costs its segment and no other', async () => {
  const { timers, encoders, pipeline, written, failures, dropped } = segmentBench();
  encoders.failure = new Error('no such codec');
  await pipeline.publish(clip(40));
  await timers.settle();
  encoders.failure = undefined;
  encoders.missing = 1;
  await pipeline.publish(clip(40));
  await timers.settle();
  encoders.missing = 0;
  assert.equal(written.length, 0);
  await pipeline.publish(clip(40));
  await timers.advance(100);
  assert.equal(written.length, 3);
  assert.deepEqual(failures, [
    'MEDIA_SEGMENT_FAILED: The segment failed: no such codec',
    'MEDIA_SEGMENT_FAILED: The encoder gave 1 packets of sound; allowed is 2.',
  ]);
  assert.deepEqual([pipeline.counts().failed, dropped.length], [2, 2]);
  await pipeline.close();
});

test('an encoder that never answers is given up after its deadline', async () => {
  const { timers, encoders, pipeline, failures } = segmentBench({ encodeDeadlineMs: 3_000 });
  encoders.delayMs = Number.POSITIVE_INFINITY;
  await pipeline.publish(clip(40));
  await timers.advance(3_001);
  assert.deepEqual(failures, [
    'MEDIA_SEGMENT_TIMEOUT: The segment was not encoded within 3000 ms.',
  ]);
  assert.equal(encoders.aborts, 2);
  encoders.delayMs = 0;
  await pipeline.publish(clip(40));
  await timers.advance(100);
  assert.equal(pipeline.counts().published, 1);
  await pipeline.close();
});

test('a sink that fails costs the segment and no other', async () => {
  let broken = true;
  const bench = segmentBench({
    sink: {
      sound() {
        if (broken) throw new Error('the hub is gone');
      },
      picture() {},
    },
  });
  await bench.pipeline.publish(clip(200));
  await bench.timers.advance(300);
  broken = false;
  await bench.pipeline.publish(clip(200));
  await bench.timers.advance(300);
  assert.deepEqual(bench.failures, ['MEDIA_SEGMENT_FAILED: The segment failed: the hub is gone']);
  assert.equal(bench.pipeline.counts().published, 1);
  await bench.pipeline.close();
});

test('no more than eight callers wait for room', async () => {
  const { timers, encoders, pipeline } = segmentBench();
  encoders.delayMs = Number.POSITIVE_INFINITY;
  const states = Array.from({ length: 11 }, () => watch(pipeline.publish(clip(40))));
  await timers.settle();
  assert.deepEqual(
    states.map(({ state }) => state),
    ['queued', 'queued', ...Array.from({ length: 8 }, () => 'waits'), 'MEDIA_SEGMENTS_BUSY'],
  );
  await pipeline.close();
  await timers.settle();
  assert.ok(states.slice(2, 10).every(({ state }) => state === 'MEDIA_SEGMENTS_CLOSED'));
  assert.equal(timers.pending, 0);
});

test('close ends each state without a leak, and twice is nothing', async () => {
  for (const [name, ms, hang] of [
    ['idle', 0, false],
    ['between samples', 90, false],
    ['in the encoder', 0, true],
    ['after the last', 10_000, false],
  ] as const) {
    const { timers, encoders, pipeline, written } = segmentBench();
    if (hang) encoders.delayMs = Number.POSITIVE_INFINITY;
    const ends =
      name === 'idle' ? [] : [0, 1, 2, 3, 4].map(() => watch(pipeline.publish(clip(400))));
    const fence = watch(pipeline.fence());
    await timers.advance(ms);
    await pipeline.close();
    await pipeline.close();
    const count = written.length;
    await timers.advance(20_000);
    assert.equal(written.length, count, name);
    assert.equal(timers.pending, 0, name);
    assert.ok(
      [...ends, fence].every(({ state }) => state !== 'waits'),
      name,
    );
    await assert.rejects(pipeline.publish(clip(40)), (error) =>
      isEarshotError(error, 'MEDIA_SEGMENTS_CLOSED'),
    );
    await assert.rejects(pipeline.fence(), (error) =>
      isEarshotError(error, 'MEDIA_SEGMENTS_CLOSED'),
    );
  }
});
