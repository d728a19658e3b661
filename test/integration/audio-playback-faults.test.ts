import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fitSine } from '../fixtures/sine.ts';
import {
  channelOf,
  largestStep,
  playbackSettings,
  playTone,
  type TonePlayer,
  toneAmplitude,
  toneHz,
} from '../fixtures/tone-player.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { type FaultCard, makeFaultCard } from '../lab/fault-card.ts';

let card: FaultCard;
let player: TonePlayer;

beforeEach(async () => {
  card = await makeFaultCard();
  player = playTone({ device: card.pcm, env: card.env });
  await player.event('opened');
  await player.more(9_600);
});

afterEach(async () => {
  assert.equal(player.playback.close(), true);
  await card.remove();
});

/**
 * What is played from now on is the tone, unbroken, for 200 ms at least. The resampler takes turns between
 * ratios 15 ppm apart, which a sine of one frequency sees as −55 dB.
 */
async function assertTone(channels = 2): Promise<void> {
  await player.more(4_800);
  const from = (await card.played()).length / channels;
  await player.more(14_400);
  const left = channelOf(await card.played(), 0, channels).subarray(from, from + 9_600);
  assert.equal(left.length, 9_600);
  const { amplitude, snrDb } = fitSine(left, card.get('rateHz'), toneHz);
  assert.ok(Math.abs(amplitude - toneAmplitude) < 0.01 && snrDb > 50, `${amplitude}, ${snrDb} dB`);
}

test('an underrun is counted, told, and the device is prefilled and goes on', async () => {
  const { xruns, starvations } = player.playback.stats();
  const starts = card.get('starts');
  card.raise('xruns');
  const { count } = await player.event('xrun');
  assert.ok(count > xruns);
  await waitFor('the restart', () => card.get('starts') > starts);
  assert.equal(card.get('prefill'), 9_600);
  await assertTone();
  const stats = player.playback.stats();
  assert.deepEqual([stats.reopens, stats.starvations], [0, starvations]);
});

test('a storm of underruns is survived', async () => {
  const storm = setInterval(() => card.raise('xruns'), 1);
  try {
    await waitFor('many underruns', () => player.playback.stats().xruns > 10);
  } finally {
    clearInterval(storm);
  }
  await assertTone();
});

test('a suspend that can be resumed is resumed in place', async () => {
  card.set({ resumable: 3 });
  card.raise('suspends');
  await waitFor('the suspend', () => player.playback.stats().suspends === 1);
  await assertTone();
  assert.equal(player.playback.stats().reopens, 0);
  assert.equal(card.get('opens'), 1);
});

test('while suspended nothing is queued; a suspend that cannot be resumed ends in a restart', async () => {
  card.raise('suspends');
  await waitFor('the suspend', () => player.playback.queued().deviceSamples === -1);
  assert.deepEqual(player.playback.queued(), { ringSamples: 0, deviceSamples: -1 });
  assert.equal(player.playback.write(new Float32Array(960), 480), 0);
  await assertTone();
  const { suspends, reopens } = player.playback.stats();
  assert.deepEqual([suspends, reopens], [1, 0]);
});

test('a device that is unplugged is reported once for each reason, and opened when it returns', async () => {
  const from = player.events.length;
  card.set({ gone: 1 });
  const lost = await player.event('lost', from);
  assert.match(lost.error, /No such device$/);
  assert.equal(lost.retryMs, 100);
  await waitFor('a failed try', () => player.events.length >= from + 2);
  assert.deepEqual(player.playback.queued(), { ringSamples: 0, deviceSamples: -1 });
  assert.equal(player.playback.stats().deviceRateHz, 0);
  card.set({ gone: 0, rateHz: 44_100, channels: 1 });
  const opened = await player.event('opened', from);
  assert.deepEqual([opened.rateHz, opened.channels], [44_100, 1]);
  const names = player.events.slice(from).map(({ name }) => name);
  assert.deepEqual(names, ['lost', 'lost', 'opened']);
  assert.equal(player.playback.stats().reopens, 1);
});

for (const [fault, words] of [
  ['idle', 'says EIO'],
  ['stalled', 'takes nothing'],
] as const) {
  test(`a gadget whose host does not record and that ${words} is idle, which is no fault`, async () => {
    const from = player.events.length;
    card.set({ [fault]: 1 });
    assert.equal((await player.event('idle', from)).idle, true);
    await waitFor('nothing to be queued', () => player.playback.queued().deviceSamples === -1);
    const opens = card.get('opens');
    const { asked } = player;
    const cpuBefore = process.cpuUsage();
    const idleUntil = process.uptime() + 2;
    await waitFor('two seconds to pass', () => process.uptime() > idleUntil, 60_000);
    const { user, system } = process.cpuUsage(cpuBefore);
    assert.ok(user + system < 1_000_000, `${user + system} us of CPU in 2 s`);
    assert.ok(player.asked <= asked + 1, 'sound is asked for in vain');
    assert.equal(card.get('opens'), opens);
    assert.deepEqual(
      player.events.slice(from).map(({ name }) => name),
      ['idle'],
    );
    assert.equal(player.playback.stats().deviceRateHz, 48_000);
    card.set({ [fault]: 0 });
    await waitFor('the end of idleness', () => player.events.length >= from + 2);
    assert.deepEqual(player.events[from + 1], { name: 'idle', device: card.pcm, idle: false });
    await assertTone();
    assert.equal(player.playback.stats().reopens, 0);
  });
}

test('a device that is missing is reported, and opened at once when it appears', async () => {
  player.playback.close();
  const devices = join(card.dir, 'snd');
  await mkdir(devices);
  card.set({ gone: 1 });
  player = playTone({ device: card.pcm, env: card.env, hotplugDirectory: devices });
  const lost = await player.event('lost');
  assert.equal(lost.error, 'open: No such device');
  assert.equal(player.playback.write(new Float32Array(960), 480), 0);
  card.set({ gone: 0 });
  await writeFile(join(devices, 'pcmC1D0p'), '');
  await player.event('opened');
  await assertTone();
  assert.equal(player.events.filter(({ name }) => name === 'lost').length, 1);
});

test('a name that no device has can be corrected under way', async () => {
  const from = player.events.length;
  await player.playback.configure(playbackSettings('hw:CARD=NoSuchCard'));
  const lost = await player.event('lost', from);
  assert.equal(lost.device, 'hw:CARD=NoSuchCard');
  assert.match(lost.error, /^open: /);
  await player.playback.configure(playbackSettings(card.pcm));
  await player.event('opened', from);
  await assertTone();
});

test('a ring that runs dry fades out, counts once, and fades in again', async () => {
  const { starvations } = player.playback.stats();
  player.feeding = false;
  await waitFor('the starvation', () => player.playback.stats().starvations > starvations);
  const { asked } = player;
  await waitFor('being asked for more', () => player.asked > asked + 20);
  player.feeding = true;
  await player.more(9_600);
  const stats = player.playback.stats();
  assert.deepEqual([stats.starvations, stats.xruns], [starvations + 1, 0]);
  const left = channelOf(await card.played(), 0, 2);
  assert.ok(largestStep(left) < 0.09, `a step of ${largestStep(left)}`);
});
