import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { afterEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { listDevicesApart } from '../../src/audio/devices/list-devices.ts';
import { listDevices } from '../../src/audio/native/binding.ts';
import { listPlaybackDevices } from '../../src/audio/native/playback-binding.ts';
import { fitSine, measureFrequency } from '../fixtures/sine.ts';
import {
  channelOf,
  largestStep,
  playbackSettings,
  playTone,
  soundOnly,
  type TonePlayer,
  toneAmplitude,
  toneHz,
} from '../fixtures/tone-player.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { CardRecorder } from '../lab/card-recorder.ts';
import {
  type FaultCard,
  type FaultSettings,
  makeFaultCard,
  sampleFormats,
} from '../lab/fault-card.ts';
import { type SoundServer, startSoundServer } from '../lab/sound-server.ts';

let player: TonePlayer | undefined;
let card: FaultCard | undefined;
let server: SoundServer | undefined;

afterEach(async () => {
  assert.notEqual(player?.playback.close(), false);
  await card?.remove();
  await server?.stop();
  player = card = server = undefined;
});

async function playIntoCard(
  settings: FaultSettings = {},
  playing: Parameters<typeof playbackSettings>[1] = {},
): Promise<{ player: TonePlayer; card: FaultCard }> {
  card = await makeFaultCard(settings);
  player = playTone({ device: card.pcm, env: card.env, settings: playing });
  await player.event('opened');
  return { player, card };
}

test('what is written comes out of the sound card, continuous and as loud', async () => {
  server = await startSoundServer({ sinks: [{ name: 'host' }] });
  const recorder = new CardRecorder(server, 'host');
  await recorder.start();
  player = playTone({ device: server.feedPcm('host'), env: server.env });
  const opened = await player.event('opened');
  assert.deepEqual([opened.rateHz, opened.channels, opened.periodMs], [48_000, 2, 5]);
  await player.more(96_000);
  const { playback } = player;
  const loudest = 20 * Math.log10(toneAmplitude);
  await waitFor('the level', () => Math.abs(playback.stats().peakDbfs - loudest) < 0.1);
  const { samples } = await recorder.stop();
  const stats = player.playback.stats();
  assert.deepEqual([stats.xruns, stats.starvations, stats.reopens], [0, 0, 0]);
  const floats = Float32Array.from(samples, (x) => x / 32_768);
  for (const [channel, amplitude] of [
    [0, toneAmplitude],
    [1, toneAmplitude / 2],
  ] as const) {
    const sound = soundOnly(channelOf(floats, channel, 2)).subarray(4_800, 52_800);
    const fit = fitSine(sound, 48_000, toneHz);
    assert.ok(Math.abs(fit.amplitude - amplitude) < 0.005, `amplitude ${fit.amplitude}`);
    assert.ok(fit.snrDb > 45, `SNR ${fit.snrDb} dB`);
  }
});

test('the server is killed and restarted: the sound comes back, and says so', async () => {
  server = await startSoundServer({ sinks: [{ name: 'host' }] });
  player = playTone({ device: server.feedPcm('host'), env: server.env });
  await player.more(9_600);
  await server.kill();
  const lost = await player.event('lost');
  assert.match(lost.error, /error|refused|state/i);
  const from = player.events.length;
  await server.restart();
  await player.event('opened', from);
  await player.more(9_600);
  assert.equal(player.playback.stats().reopens, 1);
  assert.ok(player.events.every(({ name }) => name !== 'idle'));
});

test('the device begins with a full buffer, and sound with it', async () => {
  const { player, card } = await playIntoCard({}, { bufferMs: 100 });
  assert.equal(card.get('starts'), 1);
  assert.equal(card.get('prefill'), 4_800);
  await player.more(4_800);
  assert.ok(largestStep(channelOf(await card.played(), 0, 2)) < 0.07);
});

describe('conversion', () => {
  const cases = [
    { name: '44.1 kHz stereo', rateHz: 44_100, channels: 2, format: 's16' },
    { name: '48 kHz mono', rateHz: 48_000, channels: 1, format: 's16' },
    { name: '96 kHz, eight channels, S32', rateHz: 96_000, channels: 8, format: 's32' },
    { name: '32 kHz, S24 packed', rateHz: 32_000, channels: 2, format: 's24Packed' },
    { name: '16 kHz mono, S24', rateHz: 16_000, channels: 1, format: 's24' },
    { name: '192 kHz, float', rateHz: 192_000, channels: 2, format: 'float' },
  ] as const;
  for (const { name, rateHz, channels, format } of cases) {
    test(name, async () => {
      const { player, card } = await playIntoCard({
        rateHz,
        channels,
        format: sampleFormats[format],
      });
      const { deviceRateHz, deviceChannels } = player.playback.stats();
      assert.deepEqual([deviceRateHz, deviceChannels], [rateHz, channels]);
      await player.more(48_000);
      const played = await card.played();
      const settled = Math.round(rateHz * 0.05);
      const window = Math.round(rateHz * 0.5);
      // A mono device gets the mean of both channels.
      const wanted = channels === 1 ? [0.75] : [1, 0.5, ...Array(channels - 2).fill(0)];
      wanted.forEach((share: number, channel) => {
        const all = channelOf(played, channel, channels);
        if (share === 0) {
          assert.ok(
            all.every((x) => x === 0),
            `channel ${channel} is not silent`,
          );
          return;
        }
        const sound = soundOnly(all).subarray(settled, settled + window);
        const { amplitude, snrDb } = fitSine(sound, rateHz, toneHz);
        assert.ok(Math.abs(amplitude - share * toneAmplitude) < 0.005, `amplitude ${amplitude}`);
        assert.ok(snrDb > 45, `SNR ${snrDb} dB`);
      });
    });
  }
});

test('drift is steered: the tone is that much higher, and never breaks', async () => {
  const { player, card } = await playIntoCard();
  await player.more(9_600);
  for (const ppm of [1_000, -1_000, 300, 0]) {
    player.playback.setDriftPpm(ppm);
    await player.more(14_400);
    const from = (await card.played()).length / 2;
    await player.more(72_000);
    const sound = channelOf(await card.played(), 0, 2).subarray(from, from + 48_000);
    const measured = (measureFrequency(sound, 48_000, toneHz) / toneHz - 1) * 1e6;
    assert.ok(Math.abs(measured - ppm) < 10, `${measured} ppm in place of ${ppm}`);
  }
  assert.ok(largestStep(channelOf(await card.played(), 0, 2)) < 0.07);
  assert.equal(player.playback.stats().starvations, 0);
});

test('what is queued is told to a fraction of a period', async () => {
  const { player } = await playIntoCard({}, { bufferMs: 100, lowWaterMs: 300 });
  await player.more(14_400);
  player.feeding = false;
  // Everything that was written and not yet heard shrinks exactly as time goes by.
  const errors: number[] = [];
  const start = player.playback.queued();
  const startMs = performance.now();
  for (;;) {
    const { ringSamples, deviceSamples } = player.playback.queued();
    const elapsed = (performance.now() - startMs) * 48;
    if (ringSamples === 0 || elapsed > 9_600) break;
    errors.push(ringSamples + deviceSamples + elapsed - start.ringSamples - start.deviceSamples);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.ok(errors.length > 20, `${errors.length} looks`);
  errors.sort((a, b) => Math.abs(a) - Math.abs(b));
  // A process that is held up between its two clocks sees more.
  const typical = Math.abs(errors[Math.floor(errors.length * 0.8)] ?? Number.NaN);
  assert.ok(typical < 60, `${typical} samples off`);
});

test('the ring takes 500 ms and no more', async () => {
  const { player } = await playIntoCard();
  player.feeding = false;
  const taken = player.playback.write(new Float32Array(2 * 48_000), 48_000);
  const { ringSamples } = player.playback.queued();
  assert.ok(taken > 0 && taken < 24_000 && ringSamples > 12_000, `${taken} samples taken`);
  assert.ok(ringSamples <= 24_000, `${ringSamples} samples wait`);
  assert.throws(() => player.playback.write(new Float32Array(10), 6), /pcm must be/);
  assert.throws(() => player.playback.write(new Float32Array(10), -1), /samples must be/);
});

test('mute fades to silence without a click and back, and uses up what is written', async () => {
  const { player, card } = await playIntoCard();
  await player.more(9_600);
  await player.playback.configure(playbackSettings(card.pcm, { muted: true }));
  await player.more(14_400);
  const muted = channelOf(await card.played(), 0, 2);
  assert.ok(muted.subarray(-4_800).every((x) => x === 0));
  assert.equal(player.playback.stats().peakDbfs, -120);
  await player.playback.configure(playbackSettings(card.pcm));
  await player.more(14_400);
  const left = channelOf(await card.played(), 0, 2);
  assert.ok(largestStep(left) < 0.07, `a step of ${largestStep(left)}`);
  assert.equal(card.get('opens'), 1);
});

test('inactive, the device is closed and the ring empty; active, it is opened anew', async () => {
  const { player, card } = await playIntoCard();
  await player.more(9_600);
  await player.playback.configure(playbackSettings(card.pcm, { active: false }));
  await waitFor('an empty ring', () => player.playback.queued().ringSamples === 0);
  assert.equal(player.playback.queued().deviceSamples, -1);
  assert.equal(player.playback.stats().deviceRateHz, 0);
  assert.equal(player.playback.write(new Float32Array(960), 480), 0);
  const from = player.events.length;
  await player.playback.configure(playbackSettings(card.pcm));
  await player.event('opened', from);
  await player.more(9_600);
  assert.equal(card.get('opens'), 2);
  const { reopens, starvations } = player.playback.stats();
  assert.deepEqual([reopens, starvations], [0, 0]);
});

test('a device without a clock is kept to real time, and costs next to nothing', async () => {
  player = playTone({ device: 'null', env: { ALSA_CONFIG_PATH: '/usr/share/alsa/alsa.conf' } });
  await player.event('opened');
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  const { playedSamples } = player.playback.stats();
  await player.more(96_000);
  const played = player.playback.stats().playedSamples - playedSamples;
  const seconds = (performance.now() - startMs) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  assert.ok(played < (seconds + 0.2) * 48_000 * 1.01, `${played} samples in ${seconds} s`);
  assert.ok(user + system < 0.5e6 * seconds, `${user + system} us in ${seconds} s`);
});

test('two playbacks at once know nothing of each other', async () => {
  const { player: first, card: firstCard } = await playIntoCard();
  const second = await makeFaultCard({ rateHz: 44_100 });
  const other = playTone({ device: second.pcm, env: second.env });
  try {
    const opened = await other.event('opened');
    assert.equal(opened.rateHz, 44_100);
    firstCard.raise('suspends');
    await waitFor('the suspend', () => first.playback.queued().deviceSamples === -1);
    await other.more(24_000);
    const sound = soundOnly(channelOf(await second.played(), 0, 2)).subarray(2_400, 12_000);
    assert.ok(fitSine(sound, 44_100, toneHz).snrDb > 45);
    assert.equal(other.playback.stats().suspends, 0);
  } finally {
    assert.equal(other.playback.close(), true);
    await second.remove();
  }
});

test('100 playbacks that come and go leave no descriptor and no thread behind', async () => {
  card = await makeFaultCard();
  const cycle = async (): Promise<void> => {
    const one = playTone({ device: card?.pcm ?? '', env: card?.env ?? {} });
    await one.event('opened');
    assert.equal(one.playback.close(), true);
  };
  const held = async (): Promise<readonly number[]> => [
    (await readdir('/proc/self/fd')).length,
    (await readdir('/proc/self/task')).length,
  ];
  await cycle();
  const before = await held();
  for (let i = 0; i < 100; i += 1) await cycle();
  const after = await held();
  // Node opens a few of its own as it likes.
  after.forEach((count, i) => {
    assert.ok(count <= (before[i] ?? 0) + 3, `${before.join()} became ${after.join()}`);
  });
});

test('a closed playback is silent, and closing twice is nothing', async () => {
  const { player, card } = await playIntoCard();
  assert.equal(player.playback.close(), true);
  assert.equal(player.playback.close(), true);
  await player.playback.configure(playbackSettings(card.pcm));
  assert.throws(() => player.playback.stats(), /the playback is closed/);
});

test('the devices of each direction are listed, here and apart', async () => {
  server = await startSoundServer({
    sinks: [{ name: 'host' }],
    extraConfig: `pcm.host_feed.hint { show on description "Lab sound card host" }`,
  });
  Object.assign(process.env, server.env);
  const feed = { id: 'host_feed', description: 'Lab sound card host' };
  assert.ok(listPlaybackDevices().some(({ id }) => id === feed.id));
  for (const { id } of [...listPlaybackDevices(), ...listDevices()]) {
    assert.doesNotMatch(id, /^(plug)?hw:\d/);
  }
  const program = fileURLToPath(new URL('../../src/earshot.ts', import.meta.url));
  const apart = await listDevicesApart({
    command: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', program, 'audio-devices', 'playback'],
    env: { ...server.env, PATH: process.env['PATH'] ?? '' },
    timeoutMs: 20_000,
  });
  assert.ok(
    apart.some(({ id, description }) => id === feed.id && description === feed.description),
  );
});
