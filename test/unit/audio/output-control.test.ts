import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  OutputControl,
  type OutputControlOptions,
  type OutputSettings,
} from '../../../src/audio/output/output-control.ts';
import { outputPresets } from '../../../src/audio/presets.ts';
import { EarshotError, isEarshotError } from '../../../src/errors/earshot-error.ts';
import { silentLog } from '../../../src/log/log.ts';

interface Bench {
  readonly control: OutputControl;
  readonly sent: Record<string, unknown>[];
  settings: OutputSettings;
  refusal: Error | undefined;
  writeFailure: Error | undefined;
}

function setUp(options: Partial<OutputControlOptions> = {}): Bench {
  const bench: Bench = {
    sent: [],
    settings: { quality: 'medium', muted: false },
    refusal: undefined,
    writeFailure: undefined,
    control: new OutputControl({
      board: { device: 'hw:CARD=UAC1Gadget', periodMs: 5, bufferMs: 60, maxComplexity: 10 },
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
          bench.sent.push(config);
          return { applied: 'live', effective: config };
        },
      },
      listDevices: async () => [{ id: 'hw:CARD=PCH,DEV=0', description: 'a card' }],
      log: silentLog,
      ...options,
    }),
  };
  return bench;
}

test('a preset is stored, sent to the child and told to everyone', async () => {
  const bench = setUp();
  const told: string[] = [];
  bench.control.on('quality', ({ quality }) => told.push(quality));
  const answer = await bench.control.setQuality({ quality: 'ultra' });
  assert.equal(answer.quality, 'ultra');
  assert.equal(answer.applied, 'live');
  assert.deepEqual(answer.effective, outputPresets.ultra);
  assert.equal(bench.settings.quality, 'ultra');
  assert.deepEqual(bench.sent.at(-1)?.['encoder'], outputPresets.ultra);
  assert.deepEqual(told, ['ultra']);
});

test('a board lowers the complexity, and the effective values say so', () => {
  const { control } = setUp({
    board: { device: 'hw:CARD=A', periodMs: 5, bufferMs: 60, maxComplexity: 4 },
  });
  assert.equal(control.quality().effective.complexity, 4);
  assert.equal(control.quality().presets.low.complexity, 2);
  assert.equal(control.quality().presets.ultra.complexity, 4);
});

test('custom without settings is refused and changes nothing', async () => {
  const bench = setUp();
  await assert.rejects(bench.control.setQuality({ quality: 'custom' }), (error) =>
    isEarshotError(error, 'QUALITY_INVALID'),
  );
  assert.equal(bench.settings.quality, 'medium');
  assert.deepEqual(bench.sent, []);
});

test('custom settings are kept while another preset is chosen', async () => {
  const { control } = setUp();
  const custom = { ...outputPresets.high, bitrateBps: 96_000 };
  await control.setQuality({ quality: 'custom', custom });
  await control.setQuality({ quality: 'low' });
  const back = await control.setQuality({ quality: 'custom' });
  assert.equal(back.effective.bitrateBps, 96_000);
});

test('what cannot be stored is not applied', async () => {
  const bench = setUp();
  bench.writeFailure = new EarshotError('SETTINGS_WRITE_FAILED', 'disk full');
  await assert.rejects(bench.control.setMute({ muted: true }), /disk full/);
  assert.deepEqual(bench.sent, []);
  assert.deepEqual(bench.control.mute(), { muted: false });
});

test('what the child refuses is put back in the settings, to the letter', async () => {
  const bench = setUp();
  bench.refusal = new EarshotError('CONFIG_INVALID', 'no such encoder');
  const custom = { ...outputPresets.high, bitrateBps: 96_000 };
  await assert.rejects(bench.control.setQuality({ quality: 'custom', custom }), /no such encoder/);
  assert.deepEqual(bench.settings, { quality: 'medium', muted: false });
});

test('changes are applied one after another, in the order they were asked', async () => {
  const bench = setUp();
  await Promise.all([
    bench.control.setQuality({ quality: 'low' }),
    bench.control.setQuality({ quality: 'high' }),
    bench.control.setMute({ muted: true }),
  ]);
  assert.deepEqual(
    bench.sent.map((config) => [
      Reflect.get(Object(config['encoder']), 'bitrateBps'),
      config['muted'],
    ]),
    [
      [32_000, false],
      [128_000, false],
      [128_000, true],
    ],
  );
});

test('a device is chosen among those that exist or are configured', async () => {
  const bench = setUp();
  await assert.rejects(bench.control.setDevice('hw:CARD=Nope'), (error) => {
    assert.ok(isEarshotError(error, 'AUDIO_DEVICE_UNKNOWN'));
    assert.match(error.message, /hw:CARD=UAC1Gadget, hw:CARD=PCH,DEV=0/);
    return true;
  });
  assert.equal(bench.settings.device, undefined);
  const said: string[] = [];
  bench.control.on('device', ({ device }) => said.push(device));
  await bench.control.setDevice('hw:CARD=PCH,DEV=0');
  assert.equal(bench.sent.at(-1)?.['device'], 'hw:CARD=PCH,DEV=0');
  assert.deepEqual(said, ['hw:CARD=PCH,DEV=0'], 'other viewers learn of it');
});

test('the encoder works while somebody listens and rests a while after the last has left', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const bench = setUp();
  const active = () => bench.sent.at(-1)?.['active'];
  assert.equal(bench.control.childConfig().active, false);
  bench.control.setViewers(1);
  await bench.control.stop();
  assert.equal(active(), true);
  bench.control.setViewers(0);
  t.mock.timers.tick(9_999);
  await bench.control.stop();
  assert.equal(active(), true, 'a reload of the page costs nothing');
  bench.control.setViewers(0);
  t.mock.timers.tick(10_000);
  await bench.control.stop();
  assert.equal(active(), false);
});

test('what waited for the child is in force once it runs', () => {
  const { control } = setUp();
  const answers: string[] = [];
  control.on('quality', ({ applied }) => answers.push(applied));
  assert.equal(control.quality().applied, 'pending');
  control.handleChildRunning(true);
  control.handleChildRunning(false);
  control.handleChildRunning(true);
  assert.deepEqual([control.quality().applied, answers], ['live', ['live']]);
});

test('the condition of the device follows the child', () => {
  const { control } = setUp();
  assert.match(control.status().deviceError, /not running/);
  control.handleChildRunning(true);
  control.handleEvent({ name: 'device-opened', data: {} });
  assert.deepEqual([control.status().deviceState, control.status().deviceError], ['open', '']);
  control.handleEvent({ name: 'device-lost', data: { error: 'No such device' } });
  assert.equal(control.status().deviceError, 'No such device');
  control.handleChildRunning(false);
  assert.match(control.status().deviceError, /not running/);
});

test('the status says how long packets take to the viewers, and when the last came', () => {
  const { control } = setUp({
    clocks: { nowNs: () => 5_000_000_000n, unixMs: () => 1_700_000_000_000 },
  });
  assert.equal(control.status().lastFrameUnixMs, 0);
  control.noteFrame(4_975_000_000n);
  assert.deepEqual(control.delay(), {
    latencyMeanMs: 25,
    latencyP95Ms: 25,
    lastFrameUnixMs: 1_700_000_000_000,
  });
  assert.equal(control.status().latencyMeanMs, 25);
});

test('the delay of the sound is sent to the child, bounded, and once', async () => {
  const bench = setUp();
  for (const delayMs of [160, 160, Number.NaN, 5_000, -1]) {
    bench.control.setDelay(delayMs);
    await bench.control.stop();
  }
  assert.deepEqual(
    bench.sent.map((config) => config['delayMs']),
    [160, 800, 0],
  );
  assert.equal(bench.control.delayMs, 0);
  assert.equal(bench.control.childConfig().delayMs, 0);
});
