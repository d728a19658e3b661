import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { EncoderSettings } from '../../src/audio/encoder-settings.ts';
import type { CapturedPacket } from '../../src/audio/native/binding.ts';
import { outputPresets, presetNames } from '../../src/audio/presets.ts';
import {
  assertUnbroken,
  type CaptureRecorder,
  captureSettings,
  decodeStereo,
  recordCapture,
} from '../fixtures/capture-recorder.ts';
import { fitSine } from '../fixtures/sine.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { type FaultCard, makeFaultCard } from '../lab/fault-card.ts';

let card: FaultCard;
let recorder: CaptureRecorder;

beforeEach(async () => {
  card = await makeFaultCard();
  recorder = recordCapture({ device: card.pcm, env: card.env });
  await recorder.more(10);
});

afterEach(async () => {
  assert.equal(recorder.capture.close(), true);
  await card.remove();
});

function configure(change: Parameters<typeof captureSettings>[1]): Promise<void> {
  return recorder.capture.configure(captureSettings(card.pcm, change));
}

/** Holds this process's event loop up, as a long garbage collection would. */
function blockFor(ms: number): number {
  const start = performance.now();
  while (performance.now() - start < ms);
  return performance.now() - start;
}

function peak(samples: Float64Array): number {
  return samples.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
}

const custom: EncoderSettings = {
  bitrateBps: 96_000,
  channels: 1,
  frameMs: 2.5,
  application: 'voip',
  complexity: 0,
  vbr: 'cbr',
  signal: 'auto',
  bandwidth: 'fullband',
  dtx: false,
  fec: false,
};

test('settings are switched under way with every sample in its place', async () => {
  const wanted: EncoderSettings[] = [
    ...presetNames.map((name) => outputPresets[name]),
    custom,
    { ...custom, frameMs: 60, channels: 2 },
    { ...custom, frameMs: 5, application: 'restricted-lowdelay' },
    outputPresets.low,
    outputPresets.ultra,
  ];
  const droppedBefore = recorder.capture.stats().droppedFrames;
  const from = recorder.packets.length;
  for (const encoder of wanted) {
    await configure({ encoder });
    const samples = encoder.frameMs * 48;
    await waitFor('packets of the new length', () => recorder.packets.at(-1)?.samples === samples);
    await recorder.more(3);
  }
  const packets = recorder.packets.slice(from);
  // Every packet decodes to what it says, and begins where the one before ended.
  decodeStereo(packets);
  const dropped = recorder.capture.stats().droppedFrames - droppedBefore;
  if (dropped === 0) assertUnbroken(packets, 2);
  const lengths = new Set(packets.map(({ samples }) => samples / 48));
  for (const { frameMs } of wanted) assert.ok(lengths.has(frameMs), `no packet of ${frameMs} ms`);
});

test('a switch leaves no hole in the sound', async () => {
  const packets = await unbrokenRun(async () => {
    // The decoder hears the stream from its beginning, as a viewer does.
    recorder.capture.close();
    recorder = recordCapture({ device: card.pcm, env: card.env });
    await recorder.more(30);
    for (const name of ['medium', 'high', 'low', 'ultra'] as const) {
      await configure({ encoder: outputPresets[name] });
      await recorder.more(15);
    }
    return recorder.packets;
  });
  const left = decodeStereo(packets).filter((_, i) => i % 2 === 0);
  // The quietest 5 ms (five periods of the tone) once the first encoder has started.
  let quietest = 1;
  for (let at = 4_800; at + 240 <= left.length; at += 120) {
    quietest = Math.min(quietest, fitSine(left.subarray(at, at + 240), 48_000, 1_000).amplitude);
  }
  assert.ok(quietest > 0.4, `the tone of amplitude 0.5 falls to ${quietest}`);
});

/** Runs until nothing was dropped meanwhile because this machine was too busy. */
async function unbrokenRun(run: () => Promise<CapturedPacket[]>): Promise<CapturedPacket[]> {
  for (let tries = 0; tries < 10; tries += 1) {
    const packets = await run();
    if (!packets.slice(1).some(({ discontinuity }) => discontinuity)) return packets;
    assert.ok(recorder.capture.stats().droppedFrames > 0, 'sound is missing, unexplained');
  }
  throw new Error('this machine is too busy to collect packets');
}

test('a stalled event loop loses nothing for 100 ms', async () => {
  for (let tries = 0; ; tries += 1) {
    await recorder.more(3);
    const { droppedFrames } = recorder.capture.stats();
    const from = recorder.packets.length;
    const before = recorder.packets.at(-1);
    const stalledMs = blockFor(80);
    await recorder.more(9);
    // Another program may have held this one up for longer than it meant to stall.
    const last = recorder.packets.at(-1);
    assert.ok(before !== undefined && last !== undefined);
    if (stalledMs < 90 && recorder.capture.stats().droppedFrames === droppedFrames) {
      assertUnbroken([before, ...recorder.packets.slice(from)], 2);
      return;
    }
    assert.ok(tries < 20, 'packets are dropped within 100 ms');
  }
});

test('beyond 100 ms the oldest are dropped, counted, and their place is marked', async () => {
  const { droppedFrames } = recorder.capture.stats();
  const from = recorder.packets.length;
  const before = recorder.packets.at(-1);
  blockFor(500);
  await recorder.more(20);
  const after = recorder.packets.slice(from);
  const dropped = recorder.capture.stats().droppedFrames - droppedFrames;
  assert.ok(dropped >= 35, `${dropped} dropped`);
  const [first] = after;
  assert.ok(first !== undefined && before !== undefined);
  assert.equal(first.discontinuity, true);
  const missing = Number(first.captureTimeNs - before.captureTimeNs) / 1e7 - 1;
  assert.ok(Math.abs(missing - Math.round(missing)) < 0.3, 'the step is of whole packets');
  assert.ok(Math.round(missing) <= dropped && missing > 34, `${missing} missing`);
});

test('mute fades to silence without a click, goes on encoding, and fades back', async () => {
  const packets = await unbrokenRun(async () => {
    const from = recorder.packets.length;
    await recorder.more(40);
    await configure({ muted: true });
    await recorder.more(40);
    await configure({ muted: false });
    await recorder.more(40);
    return recorder.packets.slice(from);
  });
  assertUnbroken(packets, 2);
  const left = decodeStereo(packets).filter((_, i) => i % 2 === 0);
  const sound = left.subarray(9_600);
  // A sine of amplitude 0.5 at 1 kHz steps by 0.065 at most; a cut would step by up to 0.5.
  let largest = 0;
  sound.forEach((x, i) => {
    largest = Math.max(largest, Math.abs(x - (sound[i - 1] ?? x)));
  });
  assert.ok(largest < 0.09, `a step of ${largest}`);
  const middle = Math.floor(sound.length / 2);
  const quiet = Array.from({ length: 20 }, (_, i) =>
    peak(sound.subarray(middle - 9_600 + i * 480, middle - 9_600 + (i + 1) * 480)),
  );
  assert.ok(Math.min(...quiet) < 0.001, 'it does not become silent');
  assert.ok(peak(sound.subarray(-4_800)) > 0.45, 'it does not come back');
});

test('at rest nothing is encoded and the device stays open; it resumes with a mark', async () => {
  await configure({ active: false });
  const rested = recorder.packets.length;
  const { capturedSamples, encodedFrames } = recorder.capture.stats();
  await waitFor(
    'more captured sound',
    () => recorder.capture.stats().capturedSamples > capturedSamples + 9_600,
  );
  assert.equal(recorder.capture.stats().encodedFrames, encodedFrames);
  assert.ok(recorder.packets.length <= rested + 1);
  await waitFor('the level, at rest too', () => recorder.capture.stats().rmsDbfs > -12);
  const from = recorder.packets.length;
  await configure({ active: true });
  await recorder.more(20);
  assert.equal(recorder.packets[from]?.discontinuity, true);
  assert.equal(card.get('opens'), 1);
  const { amplitude } = fitSine(
    decodeStereo(recorder.packets.slice(from))
      .filter((_, i) => i % 2 === 0)
      .subarray(4_800),
    48_000,
    1_000,
  );
  assert.ok(Math.abs(amplitude - 0.5) < 0.02, `amplitude ${amplitude}`);
});

test('at 44.1 kHz too a rest leaves the timestamps right', async () => {
  recorder.capture.close();
  card.set({ rateHz: 44_100 });
  recorder = recordCapture({ device: card.pcm, env: card.env });
  await recorder.more(10);
  await configure({ active: false });
  const { capturedSamples } = recorder.capture.stats();
  await waitFor(
    'more captured sound',
    () => recorder.capture.stats().capturedSamples > capturedSamples + 22_050,
  );
  const before = recorder.packets.at(-1);
  const from = recorder.packets.length;
  const resumedNs = process.hrtime.bigint();
  await configure({ active: true });
  await recorder.more(10);
  const first = recorder.packets[from];
  assert.ok(first !== undefined && before !== undefined);
  assert.ok(first.captureTimeNs - before.captureTimeNs > 400_000_000n);
  // Captured when it was asked for, or in the buffer that waited at that moment.
  assert.ok(first.captureTimeNs > resumedNs - 350_000_000n);
  assert.ok(first.captureTimeNs < process.hrtime.bigint());
});

test('a closed capture is silent, and closing twice is nothing', async () => {
  assert.equal(recorder.capture.close(), true);
  assert.equal(recorder.capture.close(), true);
  await recorder.capture.configure(captureSettings(card.pcm));
  assert.throws(() => recorder.capture.stats(), /closed/);
});
