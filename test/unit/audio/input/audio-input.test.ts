import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import * as v from 'valibot';
import { AudioInput } from '../../../../src/audio/input/audio-input.ts';
import { writeInputFrame } from '../../../../src/audio/input/input-frames.ts';
import { type InputStats, inputStatsSchema } from '../../../../src/audio/input/input-stats.ts';
import type {
  OpenPlaybackOptions,
  PlaybackSettings,
  PlaybackStats,
} from '../../../../src/audio/native/playback-binding.ts';
import { microphonePresets } from '../../../../src/audio/presets.ts';
import { silentLog } from '../../../../src/log/log.ts';

const config = {
  device: 'hw:CARD=UAC1Gadget',
  periodMs: 5,
  bufferMs: 20,
  expected: microphonePresets.medium,
  muted: false,
  active: true,
};

const quietStats: PlaybackStats = {
  deviceRateHz: 48_000,
  deviceChannels: 2,
  playedSamples: 0,
  xruns: 0,
  suspends: 0,
  reopens: 0,
  starvations: 0,
  peakDbfs: -120,
  rmsDbfs: -120,
  realtime: true,
  busyMs: 0,
};

/** An AudioInput with a channel, a playback and a decoder in memory. */
function started() {
  const sent: { type: string; body: Record<string, unknown> }[] = [];
  const ends: number[] = [];
  const applied: PlaybackSettings[] = [];
  let opened: OpenPlaybackOptions | undefined;
  let closed = 0;
  let stats = quietStats;
  let ringSamples = 0;
  const input = new AudioInput({
    channel: { send: (type, body) => sent.push({ type, body: { ...body } }) > 0 },
    version: '1.2.3',
    log: silentLog,
    onEnd: (code) => ends.push(code),
    nowMs: () => 1_000,
    openDecoder: () => ({
      decode: () => 0,
      decodeFec: () => 0,
      hasFec: () => false,
      conceal: () => 0,
      reset() {},
      close() {},
    }),
    openPlayback: (options) => {
      opened = options;
      return {
        write: (_, samples) => samples,
        queued: () => ({ ringSamples, deviceSamples: 960 }),
        setDriftPpm() {},
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
  input.start();
  return {
    ...{ input, sent, ends, applied },
    async configure(id: number, fields: Record<string, unknown>): Promise<void> {
      input.receive({ type: 'configure', body: { id, config: fields } });
      await turn();
    },
    opened: () => opened,
    closed: () => closed,
    setRing: (samples: number) => {
      ringSamples = samples;
    },
    setStats: (change: Partial<PlaybackStats>) => {
      stats = { ...quietStats, ...change };
    },
    events: () => sent.filter(({ type }) => type === 'event').map(({ body }) => body),
    stats(): InputStats {
      input.tick();
      const last = sent.findLast(({ type }) => type === 'stats');
      return v.parse(inputStatsSchema, last?.body['stats']);
    },
  };
}

test('the first configure opens the playback and is answered by ready, the next by configured', async () => {
  const it = started();
  await it.configure(1, config);
  await it.configure(2, { ...config, muted: true });
  assert.deepEqual(
    it.sent.map(({ type }) => type),
    ['hello', 'ready', 'configured'],
  );
  assert.deepEqual(it.sent[0]?.body, { role: 'audio-input', pid: process.pid, version: '1.2.3' });
  assert.deepEqual(it.sent[1]?.body['effective'], config);
  const { lowWaterMs, ...settings } = it.opened()?.settings ?? {};
  assert.ok(lowWaterMs !== undefined && lowWaterMs > config.periodMs);
  const { expected: _, ...device } = config;
  assert.deepEqual(settings, device);
  assert.equal(it.applied[0]?.muted, true);
});

test('packets before the first configuration are nothing to it', () => {
  const payload = Buffer.alloc(20);
  started().input.receiveMedia({ type: 'opus', flags: 0, sequence: 0, timestampNs: 0n, payload });
});

test('a refused change names the key and leaves the playback alone; a refused first one ends it', async () => {
  const it = started();
  await it.configure(1, config);
  await it.configure(2, { ...config, bufferMs: 1 });
  assert.match(String(it.sent.at(-1)?.body['message']), /^bufferMs: /);
  assert.deepEqual([it.applied, it.ends], [[], []]);
  const other = started();
  await other.configure(1, { ...config, device: 'hw:0' });
  assert.deepEqual(other.ends, [78]);
});

test('the numbers fit their schema, in each state of the device', async () => {
  const it = started();
  it.input.tick();
  await it.configure(1, config);
  const device = config.device;
  assert.equal(it.stats().deviceState, 'open');
  assert.equal(it.stats().lastFrameAgeMs, -1);
  it.opened()?.onEvent({ name: 'idle', device, idle: true });
  assert.equal(it.stats().deviceState, 'idle');
  it.opened()?.onEvent({ name: 'idle', device, idle: false });
  assert.equal(it.stats().deviceState, 'open');
  it.setStats({ deviceRateHz: 0 });
  assert.equal(it.stats().deviceState, 'opening');
  await it.configure(2, { ...config, active: false });
  assert.equal(it.stats().deviceState, 'closed');
});

test('a device that is closed while idle is not idle when it opens', async () => {
  const it = started();
  await it.configure(1, config);
  it.opened()?.onEvent({ name: 'idle', device: config.device, idle: true });
  await it.configure(2, { ...config, active: false });
  await it.configure(3, config);
  assert.equal(it.stats().deviceState, 'open');
});

test('what waits when nobody holds the microphone any more is dropped', async () => {
  const it = started();
  await it.configure(1, config);
  it.setRing(9_600);
  const header = { sequence: 1, timestamp: 960, ssrc: 7, marker: false };
  const payload = writeInputFrame({ ...header, payload: Buffer.from([31 << 3, 1, 2, 3]) });
  it.input.receiveMedia({
    type: 'opus',
    flags: 0,
    sequence: 0,
    timestampNs: 1_000_000_000n,
    payload,
  });
  await it.configure(2, { ...config, muted: true });
  assert.equal(it.stats().droppedFrames, 0);
  await it.configure(3, { ...config, active: false });
  assert.equal(it.stats().droppedFrames, 1);
});

test('what happens to the device is told', async () => {
  const it = started();
  await it.configure(1, config);
  const { device } = config;
  const format = { device, rateHz: 48_000, channels: 2, periodMs: 5, bufferMs: 20 };
  it.opened()?.onEvent({ name: 'opened', ...format });
  it.opened()?.onEvent({ name: 'idle', device, idle: true });
  it.opened()?.onEvent({ name: 'lost', device, error: 'No such device', retryMs: 250 });
  it.opened()?.onEvent({ name: 'realtime-refused', error: 'EPERM' });
  assert.deepEqual(it.events(), [
    { name: 'device-opened', data: format },
    { name: 'device-idle', data: { device, idle: true } },
    { name: 'device-lost', data: { device, error: 'No such device', retryMs: 250 } },
    { name: 'realtime-refused', data: { error: 'EPERM' } },
  ]);
});

test('underruns are told once a tick, with their number', async () => {
  const it = started();
  await it.configure(1, config);
  it.opened()?.onEvent({ name: 'xrun', count: 1 });
  it.opened()?.onEvent({ name: 'xrun', count: 2 });
  it.input.tick();
  it.input.tick();
  assert.deepEqual(it.events(), [{ name: 'xrun', data: { count: 2 } }]);
});

test('a call to ALSA that does not return is told after 5 s and ends the process after 60', async () => {
  const it = started();
  await it.configure(1, config);
  it.setStats({ busyMs: 6_000 });
  assert.equal(it.stats().deviceState, 'opening');
  assert.equal(it.events()[0]?.['name'], 'device-lost');
  it.setStats({ busyMs: 61_000 });
  it.input.tick();
  assert.deepEqual([it.ends, it.closed()], [[1], 1]);
});

test('stop closes the playback once', async () => {
  const it = started();
  await it.configure(1, config);
  it.input.receive({ type: 'stop', body: {} });
  it.input.receive({ type: 'stop', body: {} });
  it.input.stop();
  it.input.tick();
  assert.deepEqual([it.ends, it.closed()], [[0], 1]);
});
