import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { outputStatsSchema } from '../../src/audio/output/output-stats.ts';
import { outputPresets, presetNames } from '../../src/audio/presets.ts';
import { isEarshotError } from '../../src/errors/earshot-error.ts';
import { frameFlags } from '../../src/ipc/messages.ts';
import type { AudioChildProcess } from '../fixtures/audio-child.ts';
import { outputConfig, startOutputChild } from '../fixtures/output-child.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { type FaultCard, makeFaultCard } from '../lab/fault-card.ts';

let card: FaultCard;
let child: AudioChildProcess;

beforeEach(async () => {
  card = await makeFaultCard();
  child = startOutputChild(card.env);
});

afterEach(async () => {
  await child.dispose();
  await card.remove();
});

test('it says hello, becomes ready with what it runs with, and streams', async () => {
  const config = outputConfig(card.pcm);
  const reply = await child.configure(config);
  assert.equal(reply.type, 'ready');
  assert.deepEqual(reply.body.effective, config);
  const [hello] = child.messages;
  assert.ok(hello?.type === 'hello');
  assert.deepEqual([hello.body.role, hello.body.pid], ['audio-output', child.process.pid]);
  const opened = await child.event('device-opened');
  assert.deepEqual(opened, {
    device: card.pcm,
    rateHz: 48_000,
    channels: 2,
    periodMs: 5,
    bufferMs: 300,
  });
  await waitFor('packets', () => child.media.length >= 20);
  const stats = await waitFor('stats', () => child.messages.find(({ type }) => type === 'stats'));
  assert.ok(stats.type === 'stats');
  const { deviceState, rmsDbfs } = v.parse(outputStatsSchema, stats.body.stats);
  assert.equal(deviceState, 'open');
  assert.ok(rmsDbfs < -8 && rmsDbfs > -10, `${rmsDbfs} dBFS`);
});

test('a missing device does not delay ready, and is no crash', async () => {
  card.set({ gone: 1 });
  assert.equal((await child.configure(outputConfig(card.pcm))).type, 'ready');
  const lost = await child.event('device-lost');
  assert.equal(lost['device'], card.pcm);
  assert.match(String(lost['error']), /No such device/);
  card.set({ gone: 0 });
  await child.event('device-opened');
  await waitFor('packets', () => child.media.length > 0);
});

test('every preset is taken live', async () => {
  await child.configure(outputConfig(card.pcm));
  for (const name of presetNames) {
    const encoder = outputPresets[name];
    const reply = await child.configure(outputConfig(card.pcm, { encoder }));
    assert.equal(reply.type, 'configured');
    assert.deepEqual(reply.body.effective['encoder'], encoder);
    const from = child.media.length;
    await waitFor('packets', () => child.media.length >= from + 5);
  }
  const sequences = child.media.map(({ sequence }) => sequence);
  assert.deepEqual(
    sequences,
    sequences.map((_, i) => i),
  );
});

test('a long frame bounds the bitrate, and the effective value says so', async () => {
  const encoder = { ...outputPresets.ultra, frameMs: 60, bitrateBps: 510_000 } as const;
  const reply = await child.configure(outputConfig(card.pcm, { encoder }));
  assert.deepEqual(reply.body.effective['encoder'], { ...encoder, bitrateBps: 170_000 });
  await waitFor('packets', () => child.media.length >= 5);
});

test('a configuration that cannot be is refused and changes nothing', async () => {
  await child.configure(outputConfig(card.pcm));
  await waitFor('packets', () => child.media.length > 0);
  for (const wrong of [
    outputConfig('hw:1'),
    { ...outputConfig(card.pcm), periodMs: 'five' },
    { ...outputConfig(card.pcm), volume: 11 },
    { ...outputConfig(card.pcm), encoder: { ...outputPresets.low, frameMs: 30 } },
  ]) {
    await assert.rejects(child.configure(wrong), (error) =>
      isEarshotError(error, 'CONFIG_INVALID'),
    );
  }
  const from = child.media.length;
  await waitFor('packets', () => child.media.length >= from + 5);
  assert.equal(child.process.exitCode, null);
});

test('a first configuration that cannot be ends it with 78', async () => {
  await assert.rejects(child.configure({ device: 'hw:1' }), (error) =>
    isEarshotError(error, 'CONFIG_INVALID'),
  );
  assert.equal(await child.exit(), 78);
});

test('stop ends it with 0', async () => {
  await child.configure(outputConfig(card.pcm));
  await waitFor('packets', () => child.media.length > 0);
  child.channel.send('stop', {});
  assert.equal(await child.exit(), 0);
});

test('SIGTERM ends it with 0', async () => {
  await child.configure(outputConfig(card.pcm));
  await waitFor('packets', () => child.media.length > 0);
  child.process.kill('SIGTERM');
  assert.equal(await child.exit(), 0);
});

test('the end of the channel ends it with 69', async () => {
  await child.configure(outputConfig(card.pcm));
  await waitFor('packets', () => child.media.length > 0);
  child.channel.close();
  assert.equal(await child.exit(), 69);
});

test('a lost and returned device marks the first packet after the gap', async () => {
  await child.configure(outputConfig(card.pcm, { encoder: outputPresets.ultra }));
  await waitFor('packets', () => child.media.length >= 20);
  const from = child.messages.length;
  card.set({ gone: 1 });
  await child.event('device-lost', from);
  card.set({ gone: 0 });
  const packets = child.media.length;
  await child.event('device-opened', from);
  await waitFor('packets', () => child.media.length >= packets + 5);
  const gapMs = child.media.flatMap(({ flags, timestampNs }, i) => {
    const before = child.media[i - 1];
    const marked = (flags & frameFlags.discontinuity) !== 0;
    return before !== undefined && marked ? [Number(timestampNs - before.timestampNs) / 1e6] : [];
  });
  assert.ok(
    gapMs.some((gap) => gap > 100),
    `steps at marks: ${gapMs.join()}`,
  );
});

test('overruns are reported at most once a second', async () => {
  await child.configure(outputConfig(card.pcm));
  await child.event('device-opened');
  const from = child.messages.length;
  for (let i = 0; i < 5; i += 1) {
    const packets = child.media.length;
    card.raise('xruns');
    await waitFor('packets', () => child.media.length >= packets + 3);
  }
  const { lostSamples } = await child.event('xrun', from);
  assert.ok(typeof lostSamples === 'number' && lostSamples >= 0);
  const reports = child.messages.filter(
    ({ type, body }) => type === 'event' && body.name === 'xrun',
  );
  assert.ok(reports.length <= 2, `${reports.length} reports`);
});

test('started by hand it says what is wrong', () => {
  const program = fileURLToPath(new URL('../../src/earshot.ts', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [program, 'audio-output'], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  assert.notEqual(status, 0);
  assert.match(stderr, /started by the main process/);
});
