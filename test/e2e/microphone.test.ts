import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import type { InputStats } from '../../src/audio/input/input-stats.ts';
import { presetNames } from '../../src/audio/presets.ts';
import type {} from '../../src/web/diagnostics.ts';
import { endsInTone } from '../fixtures/tone-blocks.ts';
import { playChirps } from '../lab/card-delay.ts';
import { CardRecorder, chirpTimes, type Recording } from '../lab/card-recorder.ts';
import { chirpTrack } from '../lab/chirp.ts';
import { startChromium } from '../lab/chromium.ts';
import { type EarshotProcess, startEarshot } from '../lab/earshot-process.ts';
import { PageProbe } from '../lab/page-probe.ts';
import { openSpeakingPage } from '../lab/speaking-page.ts';
import { sound } from '../lab/stage.ts';
import { silences } from '../lab/steady-tone.ts';
import { makeVoiceFile, toneSamples } from '../lab/voice-file.ts';
import { startVoiceStage, type VoiceStage } from '../lab/voice-stage.ts';

/**
 * The microphone, whole: a browser that hears a file, its page, the built program, and the card that the
 * host records from. What a busy machine can spoil for a moment is waited for with a deadline.
 */

const input = 'audio-input';

/** What a person needs at least from pressing a button to the first word; the file begins with it. */
const leadInMs = 150;
/** The first chirp of a track comes 100 ms later. */
const chirps = chirpTrack({ seconds: 60, seed: 5 });

const toneHz = 1_000;
/** −12 dBFS, as a sine's level. */
const tone = { toneHz, levelDbfs: -15 } as const;

/** Where a codec's and a resampler's rounding ends, and a splice begins. */
const exactMs = 1.5;

describe('the microphone', () => {
  let stage: VoiceStage;
  let earshot: EarshotProcess;
  /** A browser that says a tone; that of the stage says chirps. */
  let humming: Awaited<ReturnType<typeof startChromium>>;

  before(async () => {
    const said = await makeVoiceFile(chirps.samples, { leadInMs });
    const hummed = await makeVoiceFile(toneSamples({ hz: toneHz, amplitude: 0.25, seconds: 100 }));
    stage = await startVoiceStage({ microphone: said.microphone });
    stage.defer(() => said.remove());
    stage.defer(() => hummed.remove());
    const desk = { server: stage.voice.server, sink: 'browser' };
    humming = await startChromium({ card: desk, microphone: hummed.microphone });
    stage.defer(() => humming.close());
    const host = await playChirps(stage.host);
    stage.defer(() => host.stop());
    earshot = await startEarshot({ card: stage.host, microphone: stage.hostMicrophone });
    stage.defer(() => earshot.stop());
  });

  after(() => stage.close());

  async function record(): Promise<CardRecorder> {
    const recorder = new CardRecorder(stage.hostMicrophone.server, stage.hostMicrophone.sink);
    await recorder.start();
    return recorder;
  }

  async function stats(): Promise<InputStats> {
    return await earshot.until(async () => (await earshot.microphoneMetrics()).stats ?? undefined, {
      what: 'numbers of the child',
      deadlineMs: 10_000,
    });
  }

  /** Opens the page and speaks; it is closed with the test at the latest. */
  async function speak(t: TestContext, browser = stage.browser): Promise<Page> {
    const page = await openSpeakingPage({ browser, earshot, latency: 'steady' });
    t.after(() => page.context().close());
    return page;
  }

  /** The page goes, and the floor with it. */
  async function leave(page: Page): Promise<number> {
    const closedMs = performance.now();
    await page.context().close();
    await earshot.until(async () => (await earshot.microphone()).holder === null, {
      what: 'free microphone',
      deadlineMs: 5_000,
    });
    return performance.now() - closedMs;
  }

  /** Waits until what the host records from now on ends in so much of the tone, whole. */
  async function hearsTone(ms: number): Promise<void> {
    await earshot.until(
      async () => {
        // Short recordings: a long one takes longer to look at than to make.
        const recorder = await record();
        try {
          const endMs = performance.now() + ms + 2_000;
          while (performance.now() < endMs) {
            await new Promise((resolve) => setTimeout(resolve, 100));
            const recording = recorder.peek();
            if (recording !== undefined && endsInTone(recording, { ...tone, ms })) return true;
          }
          return false;
        } finally {
          await recorder.stop().catch(() => undefined);
        }
      },
      { what: `${ms} ms of a whole tone`, deadlineMs: 45_000 },
    );
  }

  it('brings what was said, from the first sound on, in time and without a splice', async (t) => {
    const recorder = await record();
    const before = await stats();
    const pressedMs = performance.now();
    const page = await speak(t);
    const heard = await earshot.until(
      () => {
        const recording = recorder.peek();
        const times = recording === undefined ? [] : chirpTimes(recording);
        return longestExact(times) >= 8 && times;
      },
      { what: 'eight chirps at their exact distance', deadlineMs: 50_000, everyMs: 1_000 },
    );
    const { stats: now } = await earshot.microphoneMetrics();
    await recorder.stop();
    assert.ok(now !== null);
    // Distances never repeat: with one missing, at the start or later, no other stands in its place.
    const offsets = heard.map((atMs, n) => atMs - (chirps.startsMs[n] ?? Number.NaN));
    const [first = 0] = offsets;
    for (const offset of offsets) assert.ok(Math.abs(offset - first) < 200, offsets.join(', '));
    // What moved a chirp is what the jitter buffer says it did.
    const movedMs = steps(heard)
      .filter((step) => Math.abs(step) >= exactMs)
      .reduce((sum, step) => sum + Math.abs(step), 0);
    const doneMs = (changed(now) - changed(before)) / 48;
    assert.ok(
      movedMs <= doneMs + 2 * exactMs,
      `moved by ${movedMs} ms, of which ${doneMs} ms known`,
    );
    assert.ok(now.latencyMeanMs > 5 && now.latencyMeanMs < 250, `${now.latencyMeanMs} ms`);
    assert.ok(now.latencyP95Ms >= now.latencyMeanMs - 1);
    assert.ok(Math.abs(now.levelMs - now.targetMs) < 60, `${now.levelMs} at ${now.targetMs} ms`);
    assert.equal(now.malformedFrames, 0);
    const { microphone } = await earshot.status();
    assert.deepEqual([microphone.deviceState, microphone.live], ['open', true]);
    t.diagnostic(
      `${heard.length} chirps; first ${Math.round((heard[0] ?? 0) - pressedMs)} ms after opening the page`,
    );
    t.diagnostic(
      `${Math.round(now.latencyMeanMs)} ms from arrival to the card; moved by ${movedMs.toFixed(1)} ms`,
    );
    const freeMs = await leave(page);
    t.diagnostic(`free ${Math.round(freeMs)} ms after the page was closed`);
  });

  it('brings a steady tone without a gap and without a seam', async (t) => {
    const page = await speak(t, humming);
    await hearsTone(3_000);
    await leave(page);
  });

  it('switches through all presets while speaking, in the running process', async (t) => {
    const page = await speak(t, humming);
    await hearsTone(1_000);
    const { pid, restarts } = await earshot.child(input);
    const recorder = await record();
    const beganMs = performance.now();
    for (const quality of [...presetNames, 'medium'] as const) {
      const { effective, applied } = await earshot.setMicrophoneQuality(quality);
      assert.equal(applied, 'live');
      const perSecond = 1_000 / effective.frameMs;
      await earshot.until(async () => Math.abs((await packetRate(page)) / perSecond - 1) < 0.15, {
        what: `${perSecond} packets a second for ${quality}`,
        deadlineMs: 20_000,
      });
    }
    const recording = await recorder.stop();
    const quiet = silentSpans(recording, beganMs);
    assert.ok(Math.max(0, ...quiet) <= longestGapMs, `silent for ${quiet.join(', ')} ms`);
    await hearsTone(1_000);
    const child = await earshot.child(input);
    assert.deepEqual([child.pid, child.restarts], [pid, restarts]);
    t.diagnostic(`silent for ${quiet.join(', ') || 'no'} ms in all`);
    await leave(page);
  });

  it('comes back by itself when the playing process is killed, and the speaker keeps the floor', async (t) => {
    const page = await speak(t, humming);
    await hearsTone(1_000);
    const { holder } = await earshot.microphone();
    const before = await earshot.child(input);
    const recorder = await record();
    const killedMs = await earshot.killChild(input);
    await earshot.until(async () => (await earshot.child(input)).restarts > before.restarts, {
      what: 'a restart of the child',
      deadlineMs: 15_000,
    });
    const backMs = await earshot.until(
      () => {
        const recording = recorder.peek();
        const [last] = recording === undefined ? [] : silences(recording).slice(-1);
        return (
          last !== undefined &&
          last.toMs > killedMs &&
          last.toMs < performance.now() - 500 &&
          last.toMs
        );
      },
      { what: 'the tone again', deadlineMs: 15_000, everyMs: 100 },
    );
    await recorder.stop();
    await hearsTone(1_000);
    const child = await earshot.child(input);
    assert.equal(child.state, 'running');
    assert.notEqual(child.pid, before.pid);
    assert.match(child.lastExit, /SIGKILL/);
    assert.equal((await earshot.microphone()).holder?.session, holder?.session);
    assert.equal(await page.evaluate(() => window.earshot?.microphone.state.phase), 'on');
    t.diagnostic(`sound again ${Math.round(backMs - killedMs)} ms after the kill`);
    await leave(page);
  });

  it('has one holder: another is told who, takes over, and its leaving frees the microphone', async (t) => {
    const first = await speak(t);
    const { holder } = await earshot.microphone();
    assert.ok(holder);
    const second = await stage.browser.newPage();
    t.after(() => second.context().close());
    await second.goto(earshot.url);
    await second.getByRole('button', { name: 'Turn on' }).click();
    await second
      .getByRole('status')
      .filter({ hasText: holder.session.slice(0, 8) })
      .waitFor();
    const { sessions } = await earshot.status();
    const other = sessions.find(({ id }) => id !== holder.session)?.id ?? '';
    const refusal = await fetch(`${earshot.url}/api/v1/microphone/start`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ session: other }),
    });
    assert.equal(refusal.status, 409);
    const { error } = await refusal.json();
    assert.equal(error.code, 'MICROPHONE_HELD');
    assert.equal(error.details.holder.session, holder.session);
    assert.equal((await earshot.microphone()).holder?.session, holder.session);
    await second.getByRole('button', { name: 'Take over' }).click();
    await first
      .getByRole('status')
      .filter({ hasText: /Another viewer has taken/ })
      .waitFor();
    assert.equal(await first.evaluate(() => window.earshot?.microphone.track), undefined);
    await earshot.until(
      async () => {
        const { holder: now, live } = await earshot.microphone();
        return now?.session === other && live;
      },
      { what: 'the second viewer live', deadlineMs: 10_000 },
    );
    const freeMs = await leave(second);
    t.diagnostic(`free ${Math.round(freeMs)} ms after the page was closed`);
    await first.getByRole('button', { name: 'Turn on' }).click();
    await earshot.until(async () => (await earshot.microphone()).live, {
      what: 'the first viewer live again',
      deadlineMs: 10_000,
    });
    await leave(first);
  });

  it('turns on and off ten times beside the host’s sound, which goes on, and negotiates nothing', async (t) => {
    const page = await stage.browser.newPage();
    t.after(() => page.context().close());
    const answers: string[] = [];
    page.on('websocket', (socket) =>
      socket.on('framesent', ({ payload }) => {
        if (String(payload).includes('"webrtc_answer"')) answers.push(String(payload));
      }),
    );
    const probe = await PageProbe.install(page);
    await page.goto(earshot.url);
    const viewer = { page, probe, close: () => page.context().close() };
    await sound(viewer);
    assert.equal(answers.length, 1);
    const power = async (name: string, live: boolean): Promise<void> => {
      await page.getByRole('button', { name, exact: true }).click();
      await earshot.until(async () => (await earshot.microphone()).live === live, {
        what: `the microphone after ${name}`,
        deadlineMs: 10_000,
        everyMs: 30,
      });
    };
    let tries = 0;
    await earshot.until(
      async () => {
        tries += 1;
        const start = await sound(viewer);
        for (let n = 0; n < 10; n += 1) {
          const { jitterBufferEmittedCount } = await sound(viewer);
          await power('Turn on', true);
          await power('Turn off', false);
          assert.ok((await sound(viewer)).jitterBufferEmittedCount > jitterBufferEmittedCount);
        }
        const end = await sound(viewer);
        const playedMs = (end.jitterBufferEmittedCount - start.jitterBufferEmittedCount) / 48;
        const steady = Math.abs(playedMs / (end.timestamp - start.timestamp) - 1) < 0.05;
        return steady && end.concealedSamples === start.concealedSamples;
      },
      { what: 'ten times without concealment', deadlineMs: 60_000 },
    );
    assert.equal(answers.length, 1);
    assert.deepEqual(await probe.connectionStates(), ['connected']);
    t.diagnostic(`at the ${tries}. try`);
    await leave(page);
  });
});

/** By how much each chirp came later after the one before than it was said, in ms. */
function steps(times: readonly number[]): number[] {
  return times.slice(1).map((atMs, n) => {
    const said = (chirps.startsMs[n + 1] ?? 0) - (chirps.startsMs[n] ?? 0);
    return atMs - (times[n] ?? 0) - said;
  });
}

/** How many chirps in a row came at the distance at which they were said. */
function longestExact(times: readonly number[]): number {
  let longest = 0;
  let run = 0;
  for (const step of steps(times)) {
    run = Math.abs(step) < exactMs ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest;
}

/** Samples that the jitter buffer put in or took out, in all. */
function changed(stats: InputStats): number {
  const { shortenedSamples, lengthenedSamples, plcSamples, fecSamples, dtxSamples } = stats;
  return shortenedSamples + lengthenedSamples + plcSamples + fecSamples + dtxSamples;
}

/**
 * A change of preset takes nothing out of the stream. What a busy machine takes is at most a packet's
 * length at a time, and the longest packet of a preset is 40 ms.
 */
const longestGapMs = 60;

/** How long each silence after `fromMs` was, in ms. */
function silentSpans(recording: Recording, fromMs: number): number[] {
  return silences(recording)
    .filter(({ toMs }) => toMs > fromMs)
    .map((silence) => silence.toMs - Math.max(fromMs, silence.fromMs));
}

/** Packets a second that the page sends, over half a second. */
async function packetRate(page: Page): Promise<number> {
  return await page.evaluate(async () => {
    const sent = async () => {
      let found = { packets: 0, atMs: 0 };
      (await window.earshot?.getStats())?.forEach((entry) => {
        if (entry.type !== 'outbound-rtp') return;
        found = { packets: entry.packetsSent, atMs: entry.timestamp };
      });
      return found;
    };
    const first = await sent();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const second = await sent();
    return ((second.packets - first.packets) * 1_000) / (second.atMs - first.atMs);
  });
}
