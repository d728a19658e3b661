import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import * as v from 'valibot';
import type {
  CaptureSettings,
  CaptureStats,
  OpenCaptureOptions,
} from '../../../../src/audio/native/binding.ts';
import { AudioOutput, type AudioOutputOptions } from '../../../../src/audio/output/audio-output.ts';
import { readPacketTimes } from '../../../../src/audio/output/packet-times.ts';
import { outputPresets } from '../../../../src/audio/presets.ts';
import { silentLog } from '../../../../src/log/log.ts';

const config = {
  device: 'hw:CARD=Host',
  periodMs: 5,
  bufferMs: 60,
  encoder: outputPresets.medium,
  delayMs: 0,
  muted: false,
  active: true,
  trace: false,
};

const quietStats: CaptureStats = {
  deviceRateHz: 48_000,
  deviceChannels: 2,
  capturedSamples: 0,
  encodedFrames: 0,
  encodedBytes: 0,
  droppedFrames: 0,
  xruns: 0,
  suspends: 0,
  reopens: 0,
  lostSamples: 0,
  encodeMeanUs: 0,
  encodeMaxUs: 0,
  peakDbfs: -120,
  rmsDbfs: -120,
  realtime: true,
  busyMs: 0,
};

/** An AudioOutput with a channel and a capture in memory. */
async function started() {
  const sent: { type: string; body: Record<string, unknown> }[] = [];
  const frames: { timestampNs: bigint; flags?: number }[] = [];
  const ends: number[] = [];
  const applied: CaptureSettings[] = [];
  let opened: OpenCaptureOptions | undefined;
  let closed = 0;
  let stats = quietStats;
  const fake: AudioOutputOptions['channel'] = {
    send: (type, body) => sent.push({ type, body: { ...body } }) > 0,
    sendMedia: (frame) => frames.push(frame) > 0,
  };
  const output = new AudioOutput({
    channel: fake,
    version: '1.2.3',
    log: silentLog,
    onEnd: (code) => ends.push(code),
    openEncoder: () => ({ encode: () => Buffer.from([0xfc]), reset() {}, close() {} }),
    openCapture: (options) => {
      opened = options;
      return {
        configure: async (settings) => {
          applied.push(settings);
        },
        stats: () => stats,
        close: () => {
          closed += 1;
          return true;
        },
      };
    },
  });
  output.start();
  const configure = async (id: number, fields: Record<string, unknown>): Promise<void> => {
    output.receive({ type: 'configure', body: { id, config: fields } });
    await turn();
  };
  return {
    ...{ output, sent, frames, ends, applied, configure },
    opened: () => opened,
    closed: () => closed,
    setStats: (change: Partial<CaptureStats>) => {
      stats = { ...quietStats, ...change };
    },
    events: () => sent.filter(({ type }) => type === 'event').map(({ body }) => body),
  };
}

test('the first configure opens the capture and is answered by ready, the next by configured', async () => {
  const it = await started();
  await it.configure(1, config);
  await it.configure(2, { ...config, muted: true });
  assert.deepEqual(
    it.sent.map(({ type }) => type),
    ['hello', 'ready', 'configured'],
  );
  assert.deepEqual(it.opened()?.settings, config);
  assert.equal(it.applied[0]?.muted, true);
});

test('a refused change names the key and leaves the capture alone', async () => {
  const it = await started();
  await it.configure(1, config);
  await it.configure(2, { ...config, periodMs: -1 });
  const error = it.sent.at(-1);
  assert.equal(error?.type, 'error');
  assert.equal(error?.body['code'], 'CONFIG_INVALID');
  assert.match(String(error?.body['message']), /^periodMs: /);
  assert.deepEqual([it.applied, it.ends], [[], []]);
});

test('overruns are told once a tick, with what they lost together', async () => {
  const it = await started();
  await it.configure(1, config);
  it.opened()?.onEvent({ name: 'xrun', lostSamples: 100 });
  it.opened()?.onEvent({ name: 'xrun', lostSamples: 23 });
  it.output.tick();
  it.output.tick();
  assert.deepEqual(it.events(), [{ name: 'xrun', data: { lostSamples: 123 } }]);
});

test('a call to ALSA that does not return is told after 5 s and ends the process after 60', async () => {
  const it = await started();
  await it.configure(1, config);
  for (const busyMs of [4_000, 6_000, 59_000]) {
    it.setStats({ busyMs });
    it.output.tick();
  }
  assert.deepEqual(
    it.events().map((event) => event['name']),
    ['device-lost'],
  );
  assert.deepEqual(it.ends, []);
  const states = it.sent.flatMap(({ type, body }) =>
    type === 'stats' ? [Reflect.get(Object(body['stats']), 'deviceState')] : [],
  );
  assert.deepEqual(states, ['open', 'opening', 'opening']);
  it.setStats({ busyMs: 61_000 });
  it.output.tick();
  assert.deepEqual([it.ends, it.closed()], [[1], 1]);
});

test('packets carry their capture time, and a mark where sound is missing', async () => {
  const it = await started();
  await it.configure(1, config);
  const payload = Buffer.from([0]);
  it.opened()?.onPackets([
    { payload, samples: 960, captureTimeNs: 5n, encodedNs: 6n, discontinuity: false },
    { payload, samples: 960, captureTimeNs: 7n, encodedNs: 8n, discontinuity: true },
  ]);
  assert.deepEqual(
    it.frames.map(({ timestampNs, flags }) => [timestampNs, flags]),
    [
      [5n, 0],
      [7n, 2],
    ],
  );
});

test('tells when each packet passed while somebody follows, and else nothing', async () => {
  const it = await started();
  await it.configure(1, config);
  const packet = {
    ...{ payload: Buffer.from([0]), samples: 960, captureTimeNs: 5n, encodedNs: 6n },
    discontinuity: false,
  };
  it.opened()?.onPackets([packet]);
  assert.deepEqual(it.events(), []);
  await it.configure(2, { ...config, trace: true });
  const beforeNs = process.hrtime.bigint();
  it.opened()?.onPackets([packet, { ...packet, captureTimeNs: 7n, encodedNs: 8n }]);
  const [event] = it.events();
  assert.equal(event?.['name'], 'trace');
  const times = readPacketTimes(v.parse(v.record(v.string(), v.unknown()), event?.['data']));
  assert.deepEqual(
    times.map(({ captureNs, encodedNs }) => [captureNs, encodedNs]),
    [
      [5n, 6n],
      [7n, 8n],
    ],
  );
  assert.ok(times.every(({ sentNs }) => sentNs >= beforeNs));
  assert.deepEqual(readPacketTimes({ packets: [{ captureNs: 'x' }] }), []);
});

test('sound of a segment is answered with packets that say so, beside the live ones', async () => {
  const it = await started();
  await it.configure(1, config);
  const pcm = { sequence: 0, timestampNs: 40n, flags: 2, payload: Buffer.alloc(7_680) };
  it.output.receiveMedia({ ...pcm, type: 'opus' });
  assert.deepEqual(it.frames, []);
  it.output.receiveMedia({ ...pcm, type: 'pcm' });
  assert.deepEqual(
    it.frames.map(({ timestampNs, flags }) => [timestampNs, flags]),
    [
      [40n, 8 | 2],
      [20_000_040n, 8],
    ],
  );
});

test('stop closes the capture once', async () => {
  const it = await started();
  await it.configure(1, config);
  it.output.receive({ type: 'stop', body: {} });
  it.output.receive({ type: 'stop', body: {} });
  it.output.stop();
  assert.deepEqual([it.ends, it.closed()], [[0], 1]);
});
