import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { writeInputFrame } from '../../src/audio/input/input-frames.ts';
import { type InputStats, inputStatsSchema } from '../../src/audio/input/input-stats.ts';
import { microphonePresets, presetNames } from '../../src/audio/presets.ts';
import { isEarshotError } from '../../src/errors/earshot-error.ts';
import type { AudioChildProcess } from '../fixtures/audio-child.ts';
import { inputConfig, startInputChild } from '../fixtures/input-child.ts';
import { MicrophoneSource } from '../fixtures/microphone-source.ts';
import { endsInSilence, endsInTone } from '../fixtures/tone-blocks.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { CardRecorder } from '../lab/card-recorder.ts';
import { type SoundServer, startSoundServer } from '../lab/sound-server.ts';

/** A busy machine stutters, PulseAudio first: what is looked for has this long to come. */
const deadlineMs = 40_000;
/** What the source sends, as a card records it. */
const tone = { toneHz: 440, levelDbfs: -15.2 } as const;

let server: SoundServer;
let child: AudioChildProcess;
let source: MicrophoneSource;
const recorders: CardRecorder[] = [];

beforeEach(async () => {
  server = await startSoundServer({ sinks: [{ name: 'host' }, { name: 'other' }] });
  child = startInputChild(server.env);
  source = new MicrophoneSource(child.channel);
});

afterEach(async () => {
  source.stop();
  for (const recorder of recorders.splice(0)) await recorder.stop().catch(() => undefined);
  await child.dispose();
  await server.stop();
});

/** Waits until a fresh recording of the sink ends in `ms` of the tone, without a gap and nothing else in it. */
async function hears(sink: string, ms: number): Promise<void> {
  await listen(sink, 'the tone', (recorder) => {
    const recording = recorder.peek();
    return recording !== undefined && endsInTone(recording, { ...tone, ms });
  });
}

async function hearsNothing(sink: string, ms: number): Promise<void> {
  await listen(sink, 'silence', (recorder) => {
    const recording = recorder.peek();
    return recording !== undefined && endsInSilence(recording, ms);
  });
}

async function listen(
  sink: string,
  what: string,
  heard: (recorder: CardRecorder) => boolean,
): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  // Short recordings: a long one takes longer to look at than to make.
  for (;;) {
    const recorder = new CardRecorder(server, sink);
    recorders.push(recorder);
    await recorder.start();
    try {
      const leftMs = Math.min(4_000, endMs - performance.now());
      await waitFor(`${what} on ${sink}`, () => heard(recorder), leftMs);
      return;
    } catch (error) {
      if (performance.now() > endMs) throw error;
    } finally {
      await recorder.stop().catch(() => undefined);
    }
  }
}

/** Waits for a report that comes from now on and satisfies `condition`. */
function stats(what: string, condition: (stats: InputStats) => boolean): Promise<InputStats> {
  const from = child.messages.length;
  return waitFor(
    what,
    () => {
      for (const message of child.messages.slice(from)) {
        if (message.type !== 'stats') continue;
        const report = v.parse(inputStatsSchema, message.body.stats);
        if (condition(report)) return report;
      }
      return undefined;
    },
    deadlineMs,
  );
}

const config = (more: Parameters<typeof inputConfig>[1] = {}) =>
  inputConfig(server.feedPcm('host'), more);

async function playing(): Promise<void> {
  await child.configure(config());
  await child.event('device-opened');
  source.start();
  await hears('host', 300);
}

test('it says hello, becomes ready, opens the device, and the sound arrives whole', async () => {
  const reply = await child.configure(config());
  assert.equal(reply.type, 'ready');
  assert.deepEqual(reply.body.effective, config());
  const [hello] = child.messages;
  assert.ok(hello?.type === 'hello');
  assert.deepEqual([hello.body.role, hello.body.pid], ['audio-input', child.process.pid]);
  const opened = await child.event('device-opened');
  assert.deepEqual([opened['device'], opened['rateHz']], [server.feedPcm('host'), 48_000]);
  source.start();
  await hears('host', 1_500);
  const report = await stats('decoded packets', ({ decodedFrames }) => decodedFrames > 50);
  assert.equal(report.deviceState, 'open');
  assert.equal(report.malformedFrames, 0);
  assert.ok(report.latencyMeanMs > 0 && report.targetMs > 0 && report.playedSamples > 0);
});

for (const frameMs of [2.5, 60]) {
  test(`packets of ${frameMs} ms are played as well`, async () => {
    source = new MicrophoneSource(child.channel, { frameMs });
    await playing();
  });
}

test('lost packets come back from in-band FEC', async () => {
  source = new MicrophoneSource(child.channel, { fec: true });
  source.arrives = (sequence) => sequence % 8 !== 7;
  await child.configure(config());
  await child.event('device-opened');
  source.start();
  await stats('sound from FEC', ({ fecSamples }) => fecSamples > 5 * 960);
});

test('lost packets without FEC are made up', async () => {
  source.arrives = (sequence) => sequence % 20 !== 7;
  await playing();
  const report = await stats('made-up sound', ({ plcSamples }) => plcSamples > 0);
  assert.equal(report.fecSamples, 0);
});

test('bad packets are counted and thrown away, and the sound goes on', async () => {
  await playing();
  const celt20 = 31 << 3;
  const notOpus = Buffer.from([celt20 | 3]);
  const lyingLength = Buffer.from([celt20 | 2, 200, 1, 2, 3]);
  const longer = Buffer.from([(11 << 3) | 1, 1, 2, 3, 4]);
  const before = await stats('a report', () => true);
  const bare = { type: 'opus', timestampNs: process.hrtime.bigint() } as const;
  child.channel.sendMedia({ ...bare, payload: Buffer.alloc(12) });
  for (const payload of [notOpus, lyingLength, longer]) {
    const header = { sequence: 1, timestamp: 1, ssrc: 1, marker: false };
    child.channel.sendMedia({ ...bare, payload: writeInputFrame({ ...header, payload }) });
  }
  await stats('four malformed', (r) => r.malformedFrames - before.malformedFrames === 4);
  await hears('host', 300);
  assert.equal(child.process.exitCode, null);
});

test('120 ms are taken where long packets are expected, from the next packet on', async () => {
  await playing();
  await child.configure(config({ expected: microphonePresets.low }));
  const before = await stats('a report', () => true);
  source.sendRaw(Buffer.from([(11 << 3) | 1, 1, 2, 3, 4]));
  const after = await stats('the packet', (r) => r.receivedFrames > before.receivedFrames);
  assert.equal(after.malformedFrames, 0);
});

test('a flood neither fills the memory nor ends the sound', async () => {
  await playing();
  const rssKb = async () =>
    Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${child.process.pid}/status`, 'utf8'))?.[1]);
  const before = await stats('a report', () => true);
  const payload = Buffer.alloc(600, (31 << 3) | 0);
  const flood = async (): Promise<void> => {
    for (let n = 0; n < 10_000; n += 1) {
      const header = { sequence: n & 0xffff, timestamp: n * 960, ssrc: 99, marker: false };
      const timestampNs = process.hrtime.bigint();
      const frame = writeInputFrame({ ...header, payload });
      const room = child.channel.sendMedia({ type: 'opus', timestampNs, payload: frame });
      if (!room) await turn();
    }
  };
  await flood();
  const first = await rssKb();
  await flood();
  await flood();
  const grown = (await rssKb()) - first;
  assert.ok(grown < 30_000, `${grown} kB more`);
  await stats('the flood', (r) => r.receivedFrames - before.receivedFrames > 1_000);
  await hears('host', 300);
});

test('another SSRC is another stream, and is heard', async () => {
  await playing();
  const { streamResets } = await stats('a report', () => true);
  source.ssrc = 0x9876;
  await stats('a reset', (report) => report.streamResets === streamResets + 1);
  await hears('host', 500);
});

test('mute is live: silence, and the tone again', async () => {
  await playing();
  assert.equal((await child.configure(config({ muted: true }))).type, 'configured');
  await hearsNothing('host', 300);
  await child.configure(config());
  await hears('host', 300);
});

test('the device is changed live', async () => {
  await playing();
  const from = child.messages.length;
  await child.configure({ ...config(), device: server.feedPcm('other') });
  await child.event('device-opened', from);
  await hears('other', 300);
  await hearsNothing('host', 300);
});

test('every preset is taken live', async () => {
  await playing();
  for (const name of presetNames) {
    const expected = microphonePresets[name];
    const reply = await child.configure(config({ expected }));
    assert.deepEqual([reply.type, reply.body.effective['expected']], ['configured', expected]);
  }
  await hears('host', 300);
});

test('inactive closes the device: packets are dropped, and nothing old is played later', async () => {
  await playing();
  await child.configure(config({ active: false }));
  await hearsNothing('host', 300);
  const closed = await stats('closed', ({ deviceState }) => deviceState === 'closed');
  assert.equal(closed.deviceRateHz, 0);
  await stats('dropped', ({ droppedFrames }) => droppedFrames > closed.droppedFrames);
  const from = child.messages.length;
  await child.configure(config());
  await child.event('device-opened', from);
  await hears('host', 300);
});

test('a missing device does not delay ready, and is no crash', async () => {
  const reply = await child.configure({ ...config(), device: 'hw:CARD=NoSuchCard' });
  assert.equal(reply.type, 'ready');
  const lost = await child.event('device-lost');
  assert.equal(lost['device'], 'hw:CARD=NoSuchCard');
  assert.match(String(lost['error']), /No such device/);
  source.start();
  await stats('dropped packets', ({ droppedFrames }) => droppedFrames > 5);
  const from = child.messages.length;
  await child.configure(config());
  await child.event('device-opened', from);
  await hears('host', 300);
});

test('a sound server that dies is lost, and played into again when it is back', async () => {
  await playing();
  const from = child.messages.length;
  await server.kill();
  await child.event('device-lost', from);
  const lost = child.messages.length;
  await server.restart();
  await child.event('device-opened', lost);
  await hears('host', 300);
  assert.equal(child.process.exitCode, null);
});

test('a configuration that cannot be is refused and changes nothing', async () => {
  await playing();
  for (const wrong of [
    { ...config(), device: 'hw:1' },
    { ...config(), periodMs: 'five' },
    { ...config(), volume: 11 },
    { ...config(), expected: { ...microphonePresets.low, frameMs: 30 } },
  ]) {
    await assert.rejects(child.configure(wrong), (error) =>
      isEarshotError(error, 'CONFIG_INVALID'),
    );
  }
  await hears('host', 300);
});

test('a first configuration that cannot be ends it with 78', async () => {
  await assert.rejects(child.configure({ device: 'hw:1' }), (error) =>
    isEarshotError(error, 'CONFIG_INVALID'),
  );
  assert.equal(await child.exit(), 78);
});

test('stop ends it with 0 in the middle of a sound', async () => {
  await playing();
  child.channel.send('stop', {});
  assert.equal(await child.exit(), 0);
});

test('SIGTERM ends it with 0', async () => {
  await playing();
  child.process.kill('SIGTERM');
  assert.equal(await child.exit(), 0);
});

test('the end of the channel, as when main is killed, ends it with 69', async () => {
  await playing();
  child.channel.close();
  assert.equal(await child.exit(), 69);
});

test('started by hand it says what is wrong', () => {
  const program = fileURLToPath(new URL('../../src/earshot.ts', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [program, 'audio-input'], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  assert.notEqual(status, 0);
  assert.match(stderr, /started by the main process/);
});
