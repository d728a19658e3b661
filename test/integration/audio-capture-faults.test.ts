import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { outputPresets } from '../../src/audio/presets.ts';
import {
  type CaptureRecorder,
  decodeChannel,
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
  await recorder.event('opened');
  await recorder.more(5);
});

afterEach(async () => {
  assert.equal(recorder.capture.close(), true);
  await card.remove();
});

/** The steps between packets whose sound the second says is missing, less what the first holds; in ms. */
function gapsMs(): number[] {
  return recorder.packets.flatMap((packet, i) => {
    const before = recorder.packets[i - 1];
    if (before === undefined || !packet.discontinuity) return [];
    return [Number(packet.captureTimeNs - before.captureTimeNs) / 1e6 - before.samples / 48];
  });
}

/** Timestamps never run backwards or overlap by more than their noise, whatever happened. */
function assertMonotonic(): void {
  recorder.packets.forEach((packet, i) => {
    const before = recorder.packets[i - 1];
    if (before === undefined) return;
    const stepMs = Number(packet.captureTimeNs - before.captureTimeNs) / 1e6;
    assert.ok(stepMs > before.samples / 48 - 2, `packet ${i} comes only ${stepMs} ms later`);
  });
}

async function assertSine(): Promise<void> {
  const { amplitude, snrDb } = fitSine(decodeChannel(await recorder.unbroken(60)), 48_000, 1_000);
  assert.ok(Math.abs(amplitude - 0.5) < 0.01 && snrDb > 30, `${amplitude}, ${snrDb} dB`);
}

test('an overrun is counted, its loss told from the timestamps, and the capture goes on', async () => {
  card.raise('xruns');
  const { lostSamples } = await recorder.event('xrun');
  // Up to a period and the time of the restart are lost.
  assert.ok(lostSamples < 48_000, `${lostSamples} samples`);
  await assertSine();
  const stats = recorder.capture.stats();
  assert.deepEqual([stats.xruns >= 1, stats.reopens], [true, 0]);
  assert.ok(stats.lostSamples >= lostSamples);
  assertMonotonic();
});

test('a storm of overruns is survived, and reported no more often than it happens', async () => {
  const from = recorder.events.length;
  const storm = setInterval(() => card.raise('xruns'), 1);
  try {
    await waitFor('many overruns', () => recorder.capture.stats().xruns > 10);
  } finally {
    clearInterval(storm);
  }
  // What was lost last shows with the next sound.
  await recorder.more(10);
  const { xruns } = recorder.capture.stats();
  assert.ok(recorder.events.length - from <= xruns + 2);
  await assertSine();
});

test('a suspend that can be resumed is resumed in place', async () => {
  card.set({ resumable: 3 });
  card.raise('suspends');
  await waitFor('the suspend', () => recorder.capture.stats().suspends === 1);
  await recorder.event('xrun');
  await assertSine();
  assert.equal(recorder.capture.stats().reopens, 0);
  assert.equal(card.get('opens'), 1);
  // Two tries 50 ms apart failed.
  assert.ok(
    gapsMs().some((gap) => gap > 50),
    `gaps ${gapsMs().join()}`,
  );
  assertMonotonic();
});

test('a suspend that cannot be resumed ends in a restart after its deadline', async () => {
  card.raise('suspends');
  await recorder.event('xrun');
  await assertSine();
  const stats = recorder.capture.stats();
  assert.deepEqual([stats.suspends, stats.reopens], [1, 0]);
  assert.ok(
    gapsMs().some((gap) => gap > 1_900),
    `gaps ${gapsMs().join()}`,
  );
});

test('a device that is unplugged is reported once for each reason, and opened when it returns', async () => {
  const from = recorder.events.length;
  card.set({ gone: 1 });
  const lost = await recorder.event('lost', from);
  assert.equal(lost.error, 'read: No such device');
  assert.equal(lost.retryMs, 100);
  await waitFor('some tries', () => recorder.events.slice(from).length >= 2);
  assert.equal(recorder.capture.stats().deviceRateHz, 0);
  card.set({ gone: 0 });
  await recorder.event('opened', from);
  await assertSine();
  const names = recorder.events.slice(from).map((event) => event.name);
  assert.deepEqual(names, ['lost', 'lost', 'opened']);
  const stats = recorder.capture.stats();
  assert.deepEqual([stats.reopens, stats.deviceRateHz, stats.deviceChannels], [1, 48_000, 2]);
  assert.ok(gapsMs().length > 0, 'the gap is not marked');
  assertMonotonic();
});

test('the device returns with another rate and other channels: it is converted anew', async () => {
  card.set({ gone: 1 });
  const from = recorder.events.length;
  await recorder.event('lost', from);
  card.set({ gone: 0, rateHz: 44_100, channels: 1 });
  const opened = await recorder.event('opened', from);
  assert.deepEqual([opened.rateHz, opened.channels], [44_100, 1]);
  await assertSine();
});

test('a clock that is not what it says (the host chose another rate) reopens the device', async () => {
  const from = recorder.events.length;
  card.set({ pacePpm: -81_250 });
  const lost = await recorder.event('lost', from);
  assert.match(lost.error, /^sample rate/);
  card.set({ pacePpm: 0, rateHz: 44_100 });
  const opened = await recorder.event('opened', from);
  assert.equal(opened.rateHz, 44_100);
  await assertSine();
});

test('a gadget whose host is silent (EIO) is waited for, quietly and often', async () => {
  const from = recorder.events.length;
  card.set({ idle: 1 });
  const lost = await recorder.event('lost', from);
  assert.match(lost.error, /Input\/output error/);
  const opens = card.get('opens');
  await waitFor('four more tries', () => card.get('opens') >= opens + 4);
  assert.deepEqual(
    recorder.events.slice(from).map((event) => event.name),
    ['lost'],
  );
  card.set({ idle: 0 });
  await recorder.event('opened', from);
  await assertSine();
});

test('a device that delivers nothing, with no error, is opened anew', async () => {
  const from = recorder.events.length;
  card.set({ stalled: 1 });
  const lost = await recorder.event('lost', from);
  assert.match(lost.error, /^no sound/);
  card.set({ stalled: 0 });
  await recorder.event('opened', from);
  await assertSine();
});

test('sound that vanishes without any error is found by the timestamps', async () => {
  // The loop over the timestamps settles first, for 2 s.
  await recorder.more(250);
  const { lostSamples } = recorder.capture.stats();
  card.raise('skipMs', 200);
  const { lostSamples: lost } = await recorder.event('xrun');
  assert.equal(lostSamples, 0);
  assert.ok(Math.abs(lost - 9_600) < 960, `${lost} samples`);
  await recorder.more(5);
  const gaps = gapsMs();
  assert.ok(
    gaps.some((gap) => Math.abs(gap - 200) < 30),
    `gaps ${gaps.join()}`,
  );
});

test('a card that appears is opened at once, without waiting for the next try', async () => {
  recorder.capture.close();
  const devices = join(card.dir, 'snd');
  await mkdir(devices);
  card.set({ gone: 1 });
  recorder = recordCapture({ device: card.pcm, env: card.env, hotplugDirectory: devices });
  await waitFor('a long wait', () => {
    const last = recorder.events.at(-1);
    return last?.name === 'lost';
  });
  card.set({ gone: 0 });
  await writeFile(join(devices, 'pcmC1D0c'), '');
  await recorder.event('opened');
  await assertSine();
});

test('a name that no device has is reported and tried again, and can be corrected under way', async () => {
  const from = recorder.events.length;
  const settings = {
    device: 'hw:CARD=NoSuchCard',
    periodMs: 5,
    bufferMs: 300,
    delayMs: 0,
    muted: false,
    active: true,
    encoder: outputPresets.ultra,
  } as const;
  await recorder.capture.configure(settings);
  const lost = await recorder.event('lost', from);
  assert.equal(lost.device, 'hw:CARD=NoSuchCard');
  assert.match(lost.error, /^open: /);
  assert.equal(recorder.capture.stats().deviceRateHz, 0);
  await recorder.capture.configure({ ...settings, device: card.pcm });
  await recorder.event('opened', from);
  await assertSine();
});
