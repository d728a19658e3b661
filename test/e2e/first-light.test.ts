import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { outputPresets, presetNames } from '../../src/audio/presets.ts';
import type {} from '../../src/web/diagnostics.ts';
import { playChirps } from '../lab/card-delay.ts';
import { CardRecorder, chirpTimes } from '../lab/card-recorder.ts';
import { seededRandom } from '../lab/chirp.ts';
import { matchDelays } from '../lab/correlate.ts';
import { type EarshotProcess, startEarshot } from '../lab/earshot-process.ts';
import type { HeardChirp, ReceivedFrame } from '../lab/page-probe.ts';
import { residentMb } from '../lab/process-usage.ts';
import { openViewer, type Stage, sound, startStage, type Viewer } from '../lab/stage.ts';

/**
 * The host's sound in a browser, whole: a virtual sound card, the built program, its page in Chromium.
 * What a busy machine can spoil for a moment (concealment, one late chirp) is waited for with a deadline.
 */

const out = 'audio-output';

describe('first light', () => {
  let stage: Stage;
  let earshot: EarshotProcess;
  let viewer: Viewer;

  before(async () => {
    stage = await startStage();
    const chirps = await playChirps(stage.host);
    stage.defer(() => chirps.stop());
    earshot = await startEarshot({ card: stage.host });
    stage.defer(() => earshot.stop());
    viewer = await openViewer(stage, { url: earshot.url });
  });

  after(() => stage.close());

  /** Chirps that came out of the received track after `unixMs`; waits until there are `count`. */
  async function chirpsAfter(
    unixMs: number,
    { count, from = viewer }: { readonly count: number; readonly from?: Viewer },
  ): Promise<HeardChirp[]> {
    return await earshot.until(
      async () => {
        const heard = (await from.probe.chirps()).filter((chirp) => chirp.unixMs > unixMs);
        return heard.length >= count && heard;
      },
      { what: `${count} chirps in the browser`, deadlineMs: 30_000, everyMs: 250 },
    );
  }

  it('connects the page and plays without being asked', async () => {
    await viewer.page.waitForFunction(
      () => window.earshot?.state === 'connected' && window.earshot.playback === 'playing',
      undefined,
      { timeout: 20_000 },
    );
    const { sessions } = await earshot.status();
    assert.deepEqual(
      sessions.map(({ state }) => state),
      ['connected'],
    );
  });

  it('brings ten seconds of sound without a lost packet and without concealment', async (t) => {
    let before = await sound(viewer);
    const received = await earshot.until(
      async () => {
        const now = await viewer.probe.inboundAudio();
        if (now === undefined) return false;
        const clean =
          now.packetsLost === before.packetsLost &&
          now.concealedSamples === before.concealedSamples;
        if (!clean) before = now;
        const packets = now.packetsReceived - before.packetsReceived;
        return now.timestamp - before.timestamp >= 10_000 && { packets, lost: now.packetsLost };
      },
      { what: 'ten seconds without concealment', deadlineMs: 60_000, everyMs: 250 },
    );
    // 20 ms a packet.
    assert.ok(received.packets >= 450, `${received.packets} packets`);
    assert.equal(received.lost, 0);
    t.diagnostic(`${received.packets} packets`);
  });

  it('brings the sound that was played: the same chirps, a steady while later', async (t) => {
    const delays = await earshot.until(() => delaysToBrowser(stage, viewer), {
      what: 'six seconds with every chirp found',
      deadlineMs: 60_000,
    });
    for (const ms of delays) assert.ok(ms > 0, `${ms} ms`);
    t.diagnostic(`${delays.length} chirps, ${Math.round(delays[0] ?? 0)} ms after the host's card`);
  });

  it('switches through all presets under way, in the running process, without losing a packet', async (t) => {
    const recorded = await openViewer(stage, { url: earshot.url, frames: true });
    t.after(() => recorded.close());
    const start = await sound(recorded);
    const { pid } = await earshot.child(out);
    const skips = await gapsSkipped(earshot);
    for (const quality of [...presetNames, ...presetNames].toReversed()) {
      const { applied, effective } = await earshot.setQuality({ quality });
      assert.equal(applied, 'live');
      // Packets of the new length arrive, and then some more.
      const samples = effective.frameMs * 48;
      await earshot.until(
        async () => (await recorded.probe.frames()).slice(-10).every((f) => f.samples === samples),
        { what: `packets of ${quality}`, deadlineMs: 15_000 },
      );
    }
    const frames = await recorded.probe.frames();
    const end = await recorded.probe.inboundAudio();
    assert.equal(end?.packetsLost, start.packetsLost);
    assert.equal((await earshot.child(out)).pid, pid);
    const { missing, uneven } = stepsOf(frames);
    assert.deepEqual(missing, [], 'sequence numbers are consecutive');
    // A machine too busy to capture leaves real gaps, and those must show in the timestamps.
    const realGaps = (await gapsSkipped(earshot)) - skips;
    assert.equal(uneven.length, realGaps, `timestamps step by the frame: ${uneven.join(', ')}`);
    t.diagnostic(`${frames.length} packets, ${realGaps} gaps in capture`);
    const [first] = new Set(frames.map(({ samples }) => samples));
    assert.equal(first, 960, 'began as medium');
    await earshot.setQuality({ quality: 'medium' });
  });

  it('brings the sound back by itself when the capturing process is killed', async (t) => {
    const before = await earshot.child(out);
    const killedMs = performance.timeOrigin + (await earshot.killChild(out));
    await earshot.until(async () => (await earshot.child(out)).restarts > before.restarts, {
      what: 'a restart of the child',
      deadlineMs: 15_000,
    });
    const heard = await chirpsAfter(killedMs + 500, { count: 5 });
    const child = await earshot.child(out);
    assert.equal(child.state, 'running');
    assert.notEqual(child.pid, before.pid);
    assert.match(child.lastExit, /SIGKILL/);
    t.diagnostic(`sound again ${Math.round((heard[0]?.unixMs ?? 0) - killedMs)} ms after the kill`);
  });

  it('brings the sound back when the sound server was restarted, in the same process', async (t) => {
    const { pid, restarts } = await earshot.child(out);
    const { reopens } = (await earshot.status()).audio;
    await stage.host.server.restart();
    const backMs = performance.timeOrigin + performance.now();
    const heard = await chirpsAfter(backMs, { count: 5 });
    const child = await earshot.child(out);
    assert.equal(child.pid, pid);
    assert.equal(child.restarts, restarts);
    const { audio } = await earshot.status();
    assert.equal(audio.deviceState, 'open');
    await earshot.until(async () => (await earshot.status()).audio.reopens > reopens, {
      what: 'a counted reopening',
      deadlineMs: 5_000,
    });
    t.diagnostic(`sound again ${Math.round((heard[0]?.unixMs ?? 0) - backMs)} ms after the server`);
  });

  it('goes on while random datagrams hit the media port', async (t) => {
    const { address, port } = await viewer.probe.remoteAddress();
    const before = { inbound: await sound(viewer), rssMb: await residentMb(earshot.pid) };
    const sent = await sendRandomDatagrams({ address, port, count: 20_000, seed: 3 });
    const afterwards = performance.timeOrigin + performance.now();
    await chirpsAfter(afterwards, { count: 5 });
    assert.equal((await viewer.probe.connectionStates()).at(-1), 'connected');
    const grownMb = (await residentMb(earshot.pid)) - before.rssMb;
    assert.ok(grownMb < 32, `main grew by ${grownMb} MB`);
    const { sessions } = await earshot.status();
    assert.equal(sessions.filter(({ state }) => state === 'connected').length, 1);
    const errors = earshot.log.filter(({ fields }) => fields['level'] === 'error');
    assert.deepEqual(errors, []);
    t.diagnostic(`${sent} datagrams, main grew by ${grownMb.toFixed(1)} MB`);
  });
});

/** Delays from the host's card to the track in the browser over about six seconds; undefined unless every chirp was found. */
async function delaysToBrowser(stage: Stage, viewer: Viewer): Promise<number[] | undefined> {
  const { server, sink } = stage.host;
  const recorder = new CardRecorder(server, sink);
  await recorder.start();
  await delay(6_500);
  const chirps = await viewer.probe.chirps();
  const played = chirpTimes(await recorder.stop());
  const heard = chirps.map(({ unixMs }) => unixMs - performance.timeOrigin);
  // The page keeps six seconds; the ends of both recordings are left out.
  const lastMs = performance.now();
  const inside = played.filter((at) => at > lastMs - 5_000 && at < lastMs - 1_500);
  const { delaysMs, missed } = matchDelays(inside, heard);
  const spread = Math.max(...delaysMs) - Math.min(...delaysMs);
  // Only a true match has one delay for chirps at ever different distances.
  return delaysMs.length >= 4 && missed === 0 && spread < 60 ? [...delaysMs] : undefined;
}

/** Where sequence numbers are missing, and where timestamps do not step by what the packet before decodes to. */
function stepsOf(frames: readonly ReceivedFrame[]): { missing: number[]; uneven: number[] } {
  const missing: number[] = [];
  const uneven: number[] = [];
  frames.slice(1).forEach((frame, n) => {
    const before = frames[n];
    if (before === undefined) return;
    const step = (frame.sequenceNumber - before.sequenceNumber) & 0xffff;
    if (step !== 1) missing.push(before.sequenceNumber);
    const samples = (frame.rtpTimestamp - before.rtpTimestamp) >>> 0;
    const skipped = samples - before.samples;
    if (skipped !== 0 && !isDtxPause(frame, skipped)) uneven.push(skipped);
  });
  return { missing, uneven };
}

/** Low says nothing between chirps (DTX): whole packets are left out, and their time passes. */
function isDtxPause({ samples }: ReceivedFrame, skipped: number): boolean {
  return samples === outputPresets.low.frameMs * 48 && skipped > 0 && skipped % samples === 0;
}

/** Real gaps in capture that the RTP clock has skipped so far. */
async function gapsSkipped(earshot: EarshotProcess): Promise<number> {
  const text = await (await fetch(`${earshot.url}/metrics`)).text();
  const [, value] = /^earshot_media_gaps_skipped_total(?:{[^}]*})? (\d+)$/m.exec(text) ?? [];
  assert.ok(value !== undefined, 'the metric is there');
  return Number(value);
}

/** Sends datagrams of random bytes, a third each with a first byte of STUN, DTLS and SRTP (RFC 7983). */
async function sendRandomDatagrams(options: {
  readonly address: string;
  readonly port: number;
  readonly count: number;
  readonly seed: number;
}): Promise<number> {
  const random = seededRandom(options.seed);
  const socket = createSocket(options.address.includes(':') ? 'udp6' : 'udp4');
  socket.connect(options.port, options.address);
  await once(socket, 'connect');
  let sent = 0;
  socket.on('error', () => undefined);
  for (let n = 0; n < options.count; n += 1) {
    const bytes = Buffer.alloc(1 + Math.floor(random() * 1_400));
    for (let at = 0; at < Math.min(64, bytes.length); at += 1) bytes[at] = random() * 256;
    const kind = n % 3;
    bytes[0] = kind === 0 ? random() * 4 : kind === 1 ? 20 + random() * 44 : 128 + random() * 64;
    await new Promise<void>((resolve) => {
      socket.send(bytes, (error) => {
        if (error === null) sent += 1;
        resolve();
      });
    });
  }
  socket.close();
  return sent;
}
