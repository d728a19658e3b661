import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { isEarshotError } from '../../src/errors/earshot-error.ts';
import { loadNativeVideo } from '../../src/video/native/native-video.ts';
import {
  openPipeline,
  type Pipeline,
  type PipelineEvent,
  presentElements,
  type Unit,
} from '../../src/video/native/pipeline.ts';
import { waitFor } from '../fixtures/wait-for.ts';

/** The addon with real pipelines. */

interface Opened {
  readonly pipeline: Pipeline;
  readonly units: Unit[];
  readonly events: PipelineEvent[];
}

let opened: Opened[] = [];
afterEach(async () => {
  await Promise.all(opened.map(({ pipeline }) => pipeline.close()));
  opened = [];
});

function open(description: string, v4l2Device?: string): Opened {
  const units: Unit[] = [];
  const events: PipelineEvent[] = [];
  const pipeline = openPipeline({
    description,
    v4l2Device,
    onUnit: (unit) => units.push(unit),
    onEvent: (event) => events.push(event),
  });
  opened.push({ pipeline, units, events });
  return { pipeline, units, events };
}

const encoder = 'vp8enc name=encoder deadline=1 cpu-used=-12 keyframe-max-dist=100000';
const sink = 'appsink name=units sync=false';
const live = `videotestsrc is-live=true ! video/x-raw,width=160,height=120,framerate=50/1 ! queue name=source-queue max-size-buffers=1 leaky=downstream ! ${encoder} ! ${sink}`;
const pictures = `appsrc name=pictures is-live=true format=time caps="video/x-raw,format=RGB,framerate=30/1" ! videoconvert ! ${encoder} ! ${sink}`;

test('what JavaScript does not collect is dropped, and a keyframe follows what was lost', async () => {
  const { units, pipeline } = open(live);
  await waitFor('pictures', () => units.length > 3);
  const from = units.length;
  // A garbage collection of a second, as it were.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
  const broken = await waitFor('pictures after the break', () =>
    units.slice(from).find(({ discontinuity }) => discontinuity),
  );
  assert.ok(broken.keyframe);
  const before = units.slice(from, units.indexOf(broken));
  // The three that waited, and those that came before or after them in turn.
  assert.ok(before.every(({ keyframe }) => !keyframe));
  const { dropped } = pipeline.stats();
  assert.ok(dropped > 10, `${dropped} dropped`);
});

test('a unit carries when it was captured, on CLOCK_MONOTONIC', async () => {
  const before = process.hrtime.bigint();
  const { units } = open(live);
  await waitFor('pictures', () => units.length >= 10);
  const now = process.hrtime.bigint();
  for (const { captureTimeNs } of units) assert.ok(captureTimeNs > before && captureTimeNs < now);
});

test('the encoder is timed', async () => {
  const { units, pipeline } = open(live);
  await waitFor('pictures', () => units.length >= 10);
  const { encodeMeanMs, encodeMaxMs, captureToEncodedMs, bytes, keyframes } = pipeline.stats();
  assert.ok(encodeMeanMs > 0 && encodeMeanMs <= encodeMaxMs && encodeMeanMs <= captureToEncodedMs);
  assert.ok(bytes > 0);
  assert.equal(keyframes, 1);
});

test('the rate of pictures is limited while it runs, without a keyframe', async () => {
  const { units, pipeline } = open(live);
  await waitFor('pictures', () => units.length >= 5);
  pipeline.limitRate(10);
  const from = units.length + 4;
  await waitFor('slower pictures', () => units.length >= from + 6);
  const slow = units.slice(from, from + 6);
  for (const [index, unit] of slow.entries()) {
    const gapNs = unit.ptsNs - (slow[index - 1]?.ptsNs ?? unit.ptsNs - 100e6);
    assert.ok(gapNs >= 59e6, `${gapNs / 1e6} ms`);
    assert.ok(!unit.keyframe);
  }
});

test('pushed pictures are answered one by one', async () => {
  const { units, pipeline } = open(pictures);
  const rgb = Buffer.alloc(50 * 30 * 3, 100);
  const taken = Array.from({ length: 12 }, (_, index) =>
    pipeline.push({ rgb, width: 50, height: 30, ptsNs: index * 33e6 }),
  ).filter((isTaken) => isTaken).length;
  await waitFor('all of them', () => units.length + pipeline.stats().dropped === taken);
  assert.deepEqual([units[0]?.width, units[0]?.height, units[0]?.keyframe], [50, 30, true]);
  assert.throws(
    () => pipeline.push({ rgb, width: 51, height: 30, ptsNs: 0 }),
    /width x height x 3/,
  );
});

test('a picture pushed while its pipeline starts is never taken for one of no size', async () => {
  // Over and over, since two threads must meet just so.
  for (let time = 0; time < 100; time += 1) {
    const { units, pipeline } = open(pictures);
    for (let index = 0; index < 3; index += 1) {
      pipeline.push({ rgb: Buffer.alloc(48 * 32 * 3), width: 48, height: 32, ptsNs: index * 33e6 });
    }
    const unit = await waitFor('a unit', () => units[0], 5_000);
    assert.deepEqual([unit.width, unit.height], [48, 32]);
    await pipeline.close();
  }
});

test('of pushed pictures eight wait to be answered, and the ninth is refused', () => {
  // None passes before its time, and that is an hour away.
  const { pipeline } = open(pictures.replace('videoconvert', 'videoconvert ! identity sync=true'));
  const rgb = Buffer.alloc(50 * 30 * 3, 100);
  const taken = Array.from({ length: 12 }, (_, index) =>
    pipeline.push({ rgb, width: 50, height: 30, ptsNs: 3_600e9 + index * 33e6 }),
  );
  assert.deepEqual(taken, [...Array(8).fill(true), ...Array(4).fill(false)]);
});

test('another size of pushed pictures begins with a keyframe of it', async () => {
  const { units, pipeline } = open(pictures);
  for (const [index, side] of [32, 32, 64].entries()) {
    const rgb = Buffer.alloc(side * side * 3);
    pipeline.push({ rgb, width: side, height: side, ptsNs: index * 33e6 });
    await waitFor('its unit', () => units.length === index + 1);
  }
  assert.deepEqual(
    units.map(({ width, keyframe }) => [width, keyframe]),
    [
      [32, true],
      [32, false],
      [64, true],
    ],
  );
});

test('what cannot run is told with the reason', async () => {
  for (const [description, reason] of [
    ['nosuchelement ! fakesink', /no element "nosuchelement"/],
    ['videotestsrc ! vp8dec ! fakesink', /could not link/],
    ['filesrc location=/nowhere/file ! fakesink', /No such file|does not exist|not found/i],
  ] as const) {
    const { events } = open(description);
    const error = await waitFor('the error', () => events.find(({ name }) => name === 'error'));
    assert.match(`${error.text} ${error.detail}`, reason);
  }
});

test('a property that is not there is a warning, and the pipeline goes on', async () => {
  const { events, units, pipeline } = open(live);
  pipeline.set('encoder', 'no-such-property', '1');
  const warning = await waitFor('the warning', () => events.find(({ name }) => name === 'warning'));
  assert.deepEqual([warning.source, warning.detail], ['encoder', 'no-such-property']);
  const from = units.length;
  await waitFor('pictures', () => units.length > from + 3);
});

test('a V4L2 device that is not there, or is none, says so before anything is launched', async () => {
  for (const [device, reason] of [
    ['/dev/video98', /No such file/],
    ['/dev/null', /no V4L2 device/],
  ] as const) {
    const { events } = open(live, device);
    const signal = await waitFor('the signal', () => events.find(({ name }) => name === 'signal'));
    assert.deepEqual([signal.source, signal.text], [device, 'lost']);
    assert.match(signal.detail, reason);
  }
});

test('a pipeline that was closed tells no more, and resolves when its threads have ended', async () => {
  const { pipeline, units, events } = open(live);
  await waitFor('pictures', () => units.length > 3);
  const before = [units.length, events.length];
  const end = pipeline.close();
  assert.equal(pipeline.close(), end);
  assert.equal(await end, true);
  assert.deepEqual([units.length, events.length], before);
  // All of it is harmless from there on.
  pipeline.set('encoder', 'target-bitrate', '100000');
  pipeline.forceKeyframe();
  pipeline.limitRate(5);
  const rgb = Buffer.alloc(48);
  assert.equal(pipeline.push({ rgb, width: 4, height: 4, ptsNs: 0 }), false);
  assert.equal(await pipeline.close(), true);
});

test('one that is closed while it starts ends all the same', async () => {
  assert.equal(await open(live).pipeline.close(), true);
  assert.equal(await open('nosuchelement ! fakesink').pipeline.close(), true);
  assert.equal(await open(live, '/dev/null').pipeline.close(), true);
});

/** Every buffer takes that long, and so does the end. */
async function held(sleepMs: number): Promise<Pipeline> {
  const { pipeline, events } = open(
    `videotestsrc ! identity sleep-time=${sleepMs * 1_000} ! fakesink sync=false`,
  );
  await waitFor(
    'it to run',
    () => events.some(({ name }) => name === 'playing') || pipeline.stats().busyMs > 300,
  );
  return pipeline;
}

test('a pipeline whose end a driver draws out holds up nobody, and ends', async () => {
  const pipeline = await held(1_500);
  const order: string[] = [];
  const end = pipeline.close().then((ended) => order.push(`ended: ${ended}`));
  await new Promise((resolve) => setImmediate(resolve));
  order.push('others');
  const { units } = open(live);
  await waitFor('pictures of another', () => units.length > 0);
  await end;
  assert.deepEqual(order, ['others', 'ended: true']);
});

test('an end that a pipeline holds up is given up in time, and told', async () => {
  const pipeline = await held(4_000);
  assert.equal(await pipeline.close({ deadlineMs: 100 }), false);
  assert.equal(await pipeline.close(), false);
});

test('which encoders there are is known by name', async () => {
  const present = await presentElements(['vp8enc', 'nosuchenc', 'x264enc']);
  assert.deepEqual([...(present ?? [])].sort(), ['vp8enc', 'x264enc']);
});

test('an addon that is not there names where it was looked for', () => {
  assert.throws(
    () => loadNativeVideo(['/nowhere/earshot_video.node']),
    (error: unknown) =>
      isEarshotError(error, 'VIDEO_NATIVE_MISSING') &&
      error.exitCode === 78 &&
      /native video module is not built: there is no \/nowhere/.test(error.message),
  );
});
