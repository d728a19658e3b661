import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { listDevices } from '../../src/audio/native/binding.ts';
import { outputPresets } from '../../src/audio/presets.ts';
import { assertUnbroken, decodeChannel, recordCapture } from '../fixtures/capture-recorder.ts';
import { fitSine, measureFrequency } from '../fixtures/sine.ts';
import { makeFaultCard, sampleFormats } from '../lab/fault-card.ts';
import { type SoundServer, startSoundServer } from '../lab/sound-server.ts';
import { formatWav, type Playback, playWav } from '../lab/wav-player.ts';

/** Packets of 10 ms that a fresh stream is given to settle: encoder start, resampler start. */
const settling = 10;

describe('capture from a sound server', () => {
  let server: SoundServer;
  let playback: Playback;
  let dir: string;

  before(async () => {
    server = await startSoundServer({ sinks: [{ name: 'host' }] });
    dir = await mkdtemp(join(tmpdir(), 'earshot-wav-'));
    const file = join(dir, 'sine.wav');
    // Left 1,000 Hz, right 1,500 Hz: whole periods in a second, so that the loop has no seam.
    const samples = Int16Array.from({ length: 96_000 }, (_, i) => {
      const frequency = i % 2 === 0 ? 1_000 : 1_500;
      return Math.round(16_000 * Math.sin((2 * Math.PI * frequency * Math.floor(i / 2)) / 48_000));
    });
    await writeFile(file, formatWav(samples, { rateHz: 48_000, channels: 2 }));
    playback = await playWav(server, 'host', file, { loop: true, bufferMs: 200 });
  });

  after(async () => {
    await playback.stop();
    await server.stop();
    await rm(dir, { recursive: true });
  });

  test('the sound that is played is the sound in the packets, unbroken', async () => {
    const recorder = recordCapture({ device: server.capturePcm('host'), env: server.env });
    try {
      const opened = await recorder.event('opened');
      assert.deepEqual(
        { rateHz: opened.rateHz, channels: opened.channels },
        { rateHz: 48_000, channels: 2 },
      );
      await recorder.more(settling);
      const packets = await recorder.unbroken(100);
      assertUnbroken(packets, 5);
      const left = fitSine(decodeChannel(packets, 0), 48_000, 1_000);
      const right = fitSine(decodeChannel(packets, 1), 48_000, 1_500);
      for (const { amplitude, snrDb } of [left, right]) {
        assert.ok(Math.abs(amplitude - 16_000 / 32_768) < 0.01, `amplitude ${amplitude}`);
        assert.ok(snrDb > 30, `SNR ${snrDb} dB`);
      }
      const stats = recorder.capture.stats();
      assert.equal(stats.xruns, 0);
      assert.equal(stats.lostSamples, 0);
      assert.ok(Math.abs(stats.rmsDbfs - 20 * Math.log10(16_000 / 32_768 / Math.SQRT2)) < 0.2);
    } finally {
      assert.equal(recorder.capture.close(), true);
    }
  });

  test('the server is killed and restarted: sound goes and comes back, and says so', async () => {
    const recorder = recordCapture({ device: server.capturePcm('host'), env: server.env });
    try {
      await recorder.more(settling);
      await server.kill();
      const lost = await recorder.event('lost');
      assert.match(lost.error, /error|refused/i);
      const from = recorder.events.length;
      await server.restart();
      await recorder.event('opened', from);
      const before = recorder.packets.length;
      const packets = await recorder.more(100);
      const gapAt = packets.findIndex(({ discontinuity }) => discontinuity);
      assert.ok(gapAt === 0 || recorder.packets.slice(0, before).some((p) => p.discontinuity));
      assert.equal(recorder.capture.stats().reopens, 1);
      // The player has to come back too.
      for (let tries = 0; ; tries += 1) {
        const { amplitude } = fitSine(decodeChannel(await recorder.more(50)), 48_000, 1_000);
        if (amplitude > 0.4) break;
        assert.ok(tries < 50, 'the sine did not come back');
      }
    } finally {
      assert.equal(recorder.capture.close(), true);
    }
  });

  test('the devices are listed by name, never by index', () => {
    Object.assign(process.env, server.env);
    const devices = listDevices();
    assert.ok(
      devices.some(
        ({ id, description }) =>
          id === server.capturePcm('host') && description === 'Lab sound card host',
      ),
    );
    for (const { id } of devices) assert.doesNotMatch(id, /^(plug)?hw:\d/);
  });
});

describe('conversion', () => {
  const cases = [
    { name: '48 kHz stereo S16, as it is', rateHz: 48_000, channels: 2, format: 's16' },
    { name: '44.1 kHz stereo', rateHz: 44_100, channels: 2, format: 's16' },
    { name: '48 kHz mono', rateHz: 48_000, channels: 1, format: 's16' },
    { name: '44.1 kHz mono', rateHz: 44_100, channels: 1, format: 's16' },
    { name: '96 kHz, eight channels, S32', rateHz: 96_000, channels: 8, format: 's32' },
    { name: '32 kHz, S24 packed', rateHz: 32_000, channels: 2, format: 's24Packed' },
    { name: '48 kHz, S24', rateHz: 48_000, channels: 2, format: 's24' },
    { name: '44.1 kHz, float', rateHz: 44_100, channels: 2, format: 'float' },
  ] as const;
  for (const { name, rateHz, channels, format } of cases) {
    test(name, async () => {
      const card = await makeFaultCard({ rateHz, channels, format: sampleFormats[format] });
      const recorder = recordCapture({ device: card.pcm, env: card.env });
      try {
        const opened = await recorder.event('opened');
        assert.deepEqual([opened.rateHz, opened.channels], [rateHz, channels]);
        await recorder.more(settling);
        const packets = await recorder.unbroken(130);
        assertUnbroken(packets, 2);
        const left = decodeChannel(packets);
        const { amplitude, snrDb } = fitSine(left, 48_000, 1_000);
        const frequency = measureFrequency(left, 48_000, 1_000);
        assert.ok(Math.abs(frequency - 1_000) < 0.01, `frequency ${frequency} Hz`);
        assert.ok(Math.abs(amplitude - 0.5) < 0.01, `amplitude ${amplitude}`);
        assert.ok(snrDb > 30, `SNR ${snrDb} dB`);
      } finally {
        recorder.capture.close();
        await card.remove();
      }
    });
  }

  test('a device that delivers in lumps is handed out evenly, and unbroken', async () => {
    const card = await makeFaultCard({ burstMs: 40 });
    const recorder = recordCapture({ device: card.pcm, env: card.env });
    try {
      await recorder.more(100);
      const packets = await recorder.unbroken(100);
      assertUnbroken(packets, 2);
      const { snrDb } = fitSine(decodeChannel(packets), 48_000, 1_000);
      assert.ok(snrDb > 30, `SNR ${snrDb} dB`);
    } finally {
      recorder.capture.close();
      await card.remove();
    }
  });

  test('a card whose clock is off keeps timestamps on the true time', async () => {
    const card = await makeFaultCard({ pacePpm: 300 });
    const encoder = { ...outputPresets.high, frameMs: 2.5 } as const;
    const recorder = recordCapture({ device: card.pcm, env: card.env, encoder });
    try {
      await recorder.more(400);
      const packets = await recorder.unbroken(1_200);
      assertUnbroken(packets, 1);
      const first = packets[0];
      const last = packets.at(-1);
      assert.ok(first !== undefined && last !== undefined);
      const elapsedMs = Number(last.captureTimeNs - first.captureTimeNs) / 1e6;
      const nominalMs = (packets.length - 1) * 2.5;
      const ppm = (nominalMs / elapsedMs - 1) * 1e6;
      assert.ok(ppm > 100 && ppm < 500, `${ppm} ppm measured, 300 true`);
    } finally {
      recorder.capture.close();
      await card.remove();
    }
  });

  test('a device without a clock is kept to real time', async () => {
    const env = { ALSA_CONFIG_PATH: '/usr/share/alsa/alsa.conf' };
    const recorder = recordCapture({ device: 'null', env });
    try {
      await recorder.more(20);
      const startMs = performance.now();
      const before = recorder.capture.stats().capturedSamples;
      await recorder.more(200);
      const captured = recorder.capture.stats().capturedSamples - before;
      const seconds = (performance.now() - startMs) / 1_000;
      // Up to two buffers of 300 ms may still come at once.
      assert.ok(captured < (seconds + 0.8) * 48_000, `${captured} samples in ${seconds} s`);
    } finally {
      recorder.capture.close();
    }
  });
});
