import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import {
  microphoneMetricsSchema,
  microphoneQualitySchema,
  microphoneStatusSchema,
} from '../../../../src/api/schema.ts';
import type { MicrophoneService } from '../../../../src/api/services.ts';
import { inputConfigSchema } from '../../../../src/audio/input/input-config.ts';
import {
  type InputSettings,
  MicrophoneControl,
  type MicrophoneControlOptions,
  type MicrophoneState,
} from '../../../../src/audio/input/microphone-control.ts';
import { microphonePresets } from '../../../../src/audio/presets.ts';
import { EarshotError, isEarshotError } from '../../../../src/errors/earshot-error.ts';
import { silentLog } from '../../../../src/log/log.ts';
import { inputStats } from '../../../fixtures/metric-sources.ts';

interface Bench {
  readonly control: MicrophoneControl;
  /** What the child was configured with. */
  readonly sent: Record<string, unknown>[];
  /** What the floor gate let through, in order. */
  readonly gate: (string | undefined)[];
  readonly sessions: Set<string>;
  readonly shown: boolean[];
  readonly states: MicrophoneState[];
  settings: InputSettings;
  nowMs: number;
  restarts: number;
  refusal: Error | undefined;
  writeFailure: Error | undefined;
}

function setUp(options: Partial<MicrophoneControlOptions> = {}): Bench {
  const control = new MicrophoneControl({
    board: { device: 'hw:CARD=UAC1Gadget', periodMs: 5, bufferMs: 20 },
    settings: {
      current: () => bench.settings,
      async replace(settings) {
        if (bench.writeFailure) throw bench.writeFailure;
        bench.settings = settings;
      },
    },
    child: {
      async configure(config) {
        if (bench.refusal) throw bench.refusal;
        bench.sent.push(v.parse(inputConfigSchema, config));
        return { applied: 'live', effective: config };
      },
      async restart() {
        bench.restarts += 1;
      },
    },
    floor: {
      openMicrophone(session) {
        if (session !== undefined && !bench.sessions.has(session)) return false;
        bench.gate.push(session);
        return true;
      },
    },
    listDevices: async () => [{ id: 'hw:CARD=PCH,DEV=0', description: 'a card' }],
    indicator: { show: (live) => bench.shown.push(live) },
    log: silentLog,
    nowMs: () => bench.nowMs,
    unixMs: () => 1_700_000_000_000 + bench.nowMs,
    ...options,
  });
  const bench: Bench = {
    ...{ control, sent: [], gate: [], shown: [], states: [] },
    sessions: new Set(['alice', 'bob']),
    settings: { quality: 'medium' },
    ...{ nowMs: 1_000, restarts: 0, refusal: undefined, writeFailure: undefined },
  };
  control.on('state', (state) => bench.states.push(state));
  return bench;
}

const held = { session: 'alice', takeover: false } as const;

test('it is the service the API asks for, word by word', async () => {
  const { control } = setUp();
  const service: MicrophoneService = control;
  assert.ok(v.is(microphoneStatusSchema, await service.start(held)));
  assert.ok(v.is(microphoneQualitySchema, service.quality()));
  control.handleStats(inputStats());
  assert.ok(v.is(microphoneMetricsSchema, service.metrics()));
});

test('it is off at start-up, and the child gets no device to open', () => {
  const { control } = setUp();
  const { holder, live, connected, deviceState } = control.status();
  assert.deepEqual(
    { holder, live, connected, deviceState },
    { holder: null, live: false, connected: false, deviceState: 'closed' },
  );
  assert.deepEqual(control.childConfig(), {
    device: 'hw:CARD=UAC1Gadget',
    periodMs: 5,
    bufferMs: 20,
    expected: microphonePresets.medium,
    muted: false,
    active: false,
  });
});

test('what else stands in the board’s configuration does not reach the child', () => {
  const board = { device: 'hw:CARD=A', periodMs: 5, bufferMs: 20, indicator: { command: ['led'] } };
  assert.ok(v.is(inputConfigSchema, setUp({ board }).control.childConfig()));
});

test('a viewer gets the floor: the gate opens for it, the child opens the device', async () => {
  const bench = setUp();
  const status = await bench.control.start(held);
  assert.deepEqual(status.holder, { session: 'alice', heldMs: 0 });
  assert.deepEqual(bench.gate, ['alice']);
  assert.equal(bench.sent.at(-1)?.['active'], true);
  bench.nowMs += 250;
  assert.equal(bench.control.status().holder?.heldMs, 250);
});

test('asking again changes nothing for the holder', async () => {
  const bench = setUp();
  await bench.control.start(held);
  await bench.control.setMute({ muted: true });
  bench.nowMs += 500;
  const status = await bench.control.start({ ...held, takeover: true });
  assert.deepEqual([status.holder?.heldMs, status.muted], [500, true]);
  assert.deepEqual([bench.gate, bench.sent.length], [['alice'], 2]);
});

test('a session that is not there is refused and nothing changes, not even with takeover', async () => {
  const bench = setUp();
  for (const takeover of [false, true]) {
    await assert.rejects(bench.control.start({ session: 'nobody', takeover }), (error) =>
      isEarshotError(error, 'MICROPHONE_SESSION_UNKNOWN'),
    );
    await bench.control.start(held);
  }
  assert.equal(bench.control.status().holder?.session, 'alice');
  assert.deepEqual(bench.gate, ['alice']);
});

test('a second viewer is refused and told who holds it and for how long', async () => {
  const bench = setUp();
  await bench.control.start(held);
  bench.nowMs += 2_000;
  await assert.rejects(bench.control.start({ session: 'bob', takeover: false }), (error) => {
    assert.ok(isEarshotError(error, 'MICROPHONE_HELD'));
    assert.deepEqual(error.details, { holder: { session: 'alice', heldMs: 2_000 } });
    return true;
  });
  assert.deepEqual(bench.gate, ['alice']);
});

test('takeover hands the floor over, unmuted, with the device open throughout', async () => {
  const bench = setUp();
  await bench.control.start(held);
  await bench.control.setMute({ muted: true });
  bench.control.handleChildRunning(true);
  bench.control.handleEvent({ name: 'device-opened', data: {} });
  const status = await bench.control.start({ session: 'bob', takeover: true });
  assert.deepEqual(
    [status.holder?.session, status.muted, status.deviceState],
    ['bob', false, 'open'],
  );
  assert.deepEqual(bench.gate, ['alice', 'bob']);
  assert.ok(bench.sent.every((config) => config['active'] === true));
  assert.equal(bench.sent.at(-1)?.['muted'], false);
});

test('stop frees it, but not for somebody who does not hold it', async () => {
  const bench = setUp();
  await bench.control.start(held);
  assert.equal((await bench.control.stop({ session: 'bob' })).holder?.session, 'alice');
  assert.equal((await bench.control.stop({ session: 'alice' })).holder, null);
  assert.deepEqual(bench.gate, ['alice', undefined]);
  assert.equal(bench.sent.at(-1)?.['active'], false);
  await bench.control.start(held);
  assert.equal((await bench.control.stop({})).holder, null);
  await bench.control.stop({});
  assert.equal(bench.gate.length, 4);
});

test('a session that ends frees it at once', async () => {
  const bench = setUp();
  await bench.control.start(held);
  bench.control.sessionClosed('bob');
  assert.equal(bench.control.status().holder?.session, 'alice');
  bench.control.sessionClosed('alice');
  assert.equal(bench.control.status().holder, null);
  assert.equal(bench.gate.at(-1), undefined);
  await bench.control.close();
  assert.equal(bench.sent.at(-1)?.['active'], false);
});

test('start, stop and start in one breath end with the device open', async () => {
  const bench = setUp();
  const first = bench.control.start(held);
  const freed = bench.control.stop({});
  const second = bench.control.start({ session: 'bob', takeover: false });
  await Promise.all([first, freed, second]);
  assert.equal(bench.control.status().holder?.session, 'bob');
  assert.equal(bench.sent.at(-1)?.['active'], true);
});

test('when the child cannot take it, the floor is free again', async () => {
  const bench = setUp();
  bench.refusal = new EarshotError('CHILD_BUSY', 'too many changes wait');
  await assert.rejects(bench.control.start(held), /too many changes/);
  assert.equal(bench.control.status().holder, null);
  assert.deepEqual(bench.gate, ['alice', undefined]);
});

test('mute reaches the child and ends with the floor; nobody held, nothing to mute', async () => {
  const bench = setUp();
  await assert.rejects(bench.control.setMute({ muted: true }), (error) =>
    isEarshotError(error, 'MICROPHONE_NOT_HELD'),
  );
  await bench.control.start(held);
  assert.equal((await bench.control.setMute({ muted: true })).muted, true);
  assert.equal(bench.sent.at(-1)?.['muted'], true);
  await bench.control.stop({});
  assert.deepEqual([bench.control.status().muted, bench.sent.at(-1)?.['muted']], [false, false]);
});

test('a mute that the child does not take is taken back', async () => {
  const bench = setUp();
  await bench.control.start(held);
  bench.refusal = new EarshotError('IPC_TIMEOUT', 'no answer');
  await assert.rejects(bench.control.setMute({ muted: true }), /no answer/);
  assert.equal(bench.control.status().muted, false);
});

test('live: held, connected and not muted; the indicator follows', async () => {
  const bench = setUp();
  bench.control.noteFrame(bench.nowMs);
  assert.equal(bench.control.status().connected, false, 'nobody holds it');
  await bench.control.start(held);
  assert.deepEqual(bench.shown, []);
  bench.control.noteFrame(bench.nowMs);
  assert.deepEqual([bench.control.status().live, bench.shown], [true, [true]]);
  await bench.control.setMute({ muted: true });
  await bench.control.setMute({ muted: false });
  await bench.control.start({ session: 'bob', takeover: true });
  assert.equal(bench.control.status().live, false, 'nothing of bob’s has come yet');
  bench.control.noteFrame(bench.nowMs);
  await bench.control.stop({});
  assert.deepEqual(bench.shown, [true, false, true, false, true, false]);
});

test('without a packet for a second the holder is not connected, and that is a drop', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const bench = setUp();
  const pass = (ms: number) => {
    bench.nowMs += ms;
    t.mock.timers.tick(ms);
  };
  await bench.control.start(held);
  bench.control.noteFrame(bench.nowMs);
  for (let i = 0; i < 10; i += 1) {
    pass(400);
    bench.control.noteFrame(bench.nowMs);
  }
  assert.deepEqual(
    [bench.control.status().connected, bench.control.metrics().connectionDrops],
    [true, 0],
  );
  pass(999);
  assert.equal(bench.control.status().connected, true);
  pass(1);
  assert.deepEqual(
    [bench.control.status().connected, bench.control.metrics().connectionDrops],
    [false, 1],
  );
  assert.equal(bench.states.at(-1)?.connected, false);
  assert.equal(bench.control.metrics().lastFrameUnixMs, 1_700_000_000_000 + bench.nowMs - 1_000);
  bench.control.noteFrame(bench.nowMs);
  assert.equal(bench.states.at(-1)?.connected, true);
  await bench.control.stop({});
  pass(5_000);
  assert.equal(bench.control.metrics().connectionDrops, 1, 'who lets go has not dropped');
});

test('packets cause no event each', async () => {
  const bench = setUp();
  await bench.control.start(held);
  const before = bench.states.length;
  for (let i = 0; i < 100; i += 1) bench.control.noteFrame(bench.nowMs);
  assert.equal(bench.states.length, before + 1);
});

test('what waited for the child is in force once it runs', () => {
  const bench = setUp();
  const answers: string[] = [];
  bench.control.on('quality', ({ applied }) => answers.push(applied));
  assert.equal(bench.control.quality().applied, 'pending');
  bench.control.handleChildRunning(true);
  assert.deepEqual([bench.control.quality().applied, answers], ['live', ['live']]);
});

test('a preset is stored, sent to the child and told to everyone', async () => {
  const bench = setUp();
  const asked: unknown[] = [];
  bench.control.on('quality', ({ effective }) => asked.push(effective));
  const answer = await bench.control.setQuality({ quality: 'ultra' });
  assert.deepEqual([answer.quality, answer.applied], ['ultra', 'live']);
  assert.deepEqual(asked, [microphonePresets.ultra]);
  assert.equal(bench.settings.quality, 'ultra');
  assert.deepEqual(bench.sent.at(-1)?.['expected'], microphonePresets.ultra);
});

test('a preset that cannot be stored or is refused leaves everything as it was', async () => {
  const bench = setUp();
  bench.writeFailure = new EarshotError('SETTINGS_WRITE_FAILED', 'disk full');
  await assert.rejects(bench.control.setQuality({ quality: 'low' }), /disk full/);
  bench.writeFailure = undefined;
  bench.refusal = new EarshotError('CONFIG_INVALID', 'not so');
  await assert.rejects(bench.control.setQuality({ quality: 'low' }), /not so/);
  assert.deepEqual(bench.settings, { quality: 'medium' });
  assert.deepEqual(bench.states, []);
});

test('a device is chosen among those that exist or are configured', async () => {
  const bench = setUp();
  await assert.rejects(bench.control.setDevice('hw:CARD=Nope'), (error) =>
    isEarshotError(error, 'AUDIO_DEVICE_UNKNOWN'),
  );
  assert.equal(bench.settings.device, undefined);
  const { current } = await bench.control.setDevice('hw:CARD=PCH,DEV=0');
  assert.equal(current, 'hw:CARD=PCH,DEV=0');
  assert.equal(bench.sent.at(-1)?.['device'], current);
  assert.equal(bench.control.status().device, current);
});

test('reset starts the child anew and keeps the holder', async () => {
  const bench = setUp();
  await bench.control.start(held);
  const status = await bench.control.reset();
  assert.deepEqual([bench.restarts, status.holder?.session], [1, 'alice']);
});

test('the condition of the device, in words about the host', async () => {
  const bench = setUp();
  const device = () => {
    const { deviceState, deviceError } = bench.control.status();
    return [deviceState, deviceError];
  };
  assert.deepEqual(device(), ['closed', 'the audio-input process is not running']);
  bench.control.handleChildRunning(true);
  assert.deepEqual(device(), ['closed', '']);
  await bench.control.start(held);
  assert.deepEqual(device(), ['opening', '']);
  bench.control.handleEvent({ name: 'device-lost', data: { error: 'No such device' } });
  assert.deepEqual(device(), [
    'opening',
    'the host has not enabled the microphone device (No such device)',
  ]);
  bench.control.handleStats({ ...inputStats(), deviceState: 'opening' });
  assert.match(device().join(), /No such device/, 'the numbers know no reason');
  bench.control.handleEvent({ name: 'device-lost', data: { error: 'Device or resource busy' } });
  assert.deepEqual(device(), ['opening', 'Device or resource busy']);
  bench.control.handleEvent({ name: 'device-opened', data: {} });
  assert.deepEqual(device(), ['open', '']);
  bench.control.handleEvent({ name: 'device-idle', data: { idle: true } });
  assert.deepEqual(device(), ['idle', 'the host is not recording from the microphone device']);
  bench.control.handleEvent({ name: 'device-idle', data: { idle: false } });
  assert.deepEqual(device(), ['open', '']);
  bench.control.handleChildRunning(false);
  assert.deepEqual(device(), ['opening', 'the audio-input process is not running']);
});

test('a device that stayed open over stop and start is open in the numbers', async () => {
  const bench = setUp();
  bench.control.handleChildRunning(true);
  await bench.control.start(held);
  bench.control.handleEvent({ name: 'device-opened', data: {} });
  await bench.control.stop({});
  await bench.control.start(held);
  assert.equal(bench.control.status().deviceState, 'opening');
  bench.control.handleStats({ ...inputStats(), deviceState: 'open' });
  assert.equal(bench.states.at(-1)?.deviceState, 'open');
});

test('numbers of the child are told; odd ones are left', async () => {
  const bench = setUp();
  const told: unknown[] = [];
  bench.control.on('metrics', (metrics) => told.push(metrics.stats));
  bench.control.handleChildRunning(true);
  bench.control.handleStats({ deviceState: 'open' });
  assert.deepEqual(told, []);
  const stats = inputStats();
  bench.control.handleStats(stats);
  assert.deepEqual(told, [stats]);
  assert.equal(bench.control.status().peakDbfs, -120, 'the level of a microphone nobody holds');
  await bench.control.start(held);
  assert.equal(bench.control.status().peakDbfs, stats.peakDbfs);
  bench.control.handleChildRunning(false);
  assert.equal(bench.control.metrics().stats, null);
});

test('close frees the microphone and waits for the child', async () => {
  const bench = setUp();
  await bench.control.start(held);
  bench.control.noteFrame(bench.nowMs);
  await bench.control.close();
  assert.deepEqual([bench.control.status().holder, bench.shown.at(-1)], [null, false]);
  assert.equal(bench.sent.at(-1)?.['active'], false);
});
