import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import type { InputStats } from '../../src/audio/input/input-stats.ts';
import { measureCardDelay, playChirps } from '../lab/card-delay.ts';
import { type EarshotProcess, startEarshot } from '../lab/earshot-process.ts';
import { ImpairRelay } from '../lab/impair.ts';
import { routeThroughRelay } from '../lab/impaired-page.ts';
import { noImpairment } from '../lab/impairment.ts';
import { PageProbe } from '../lab/page-probe.ts';
import { sound, type Viewer } from '../lab/stage.ts';
import { startVoiceStage, type VoiceStage } from '../lab/voice-stage.ts';
import { playWav } from '../lab/wav-player.ts';

/**
 * The microphone over a bad network: what a viewer says is lost, held up, overtaken and repeated on its
 * way, and what the host's card gets of it is looked at.
 */

/** Real words: a codec protects only speech against loss (in-band FEC, RFC 6716 §2.1.7). */
const words = '/usr/share/sounds/alsa/Front_Center.wav';

const bad = {
  lossRate: 0.05,
  jitterMs: 60,
  jitterShape: 'uniform',
  keepsOrder: false,
  reorderRate: 0.02,
  duplicateRate: 0.05,
} as const;

/**
 * A chirp of 30 ms lies in two or three packets of 20 ms: at 5 % loss one in seven is hit. Half of a hit
 * chirp is still there, and most of those are found: nine in ten, but for what a busy machine does.
 */
const foundShare = 0.8;

describe('the microphone over a bad network', () => {
  let stage: VoiceStage;
  let earshot: EarshotProcess;
  let relay: ImpairRelay;
  let page: Page;
  let viewer: Viewer;

  before(async () => {
    stage = await startVoiceStage();
    const host = await playChirps(stage.host, 2);
    stage.defer(() => host.stop());
    earshot = await startEarshot({ card: stage.host, microphone: stage.hostMicrophone });
    stage.defer(() => earshot.stop());
    relay = new ImpairRelay({ seed: 4 });
    stage.defer(() => relay.stop());
    page = await stage.browser.newPage();
    await routeThroughRelay(page, relay);
    const probe = await PageProbe.install(page);
    viewer = { page, probe, close: () => page.context().close() };
    stage.defer(() => viewer.close());
    await page.goto(earshot.url);
    await page.getByRole('checkbox', { name: 'Raw sound' }).check();
    await sound(viewer);
    await page.getByRole('button', { name: 'Turn on' }).click();
    await earshot.until(async () => (await earshot.microphone()).live, {
      what: 'live microphone',
      deadlineMs: 20_000,
    });
  });

  after(() => stage.close());

  async function until(
    what: string,
    condition: (stats: InputStats) => boolean,
    deadlineMs = 30_000,
  ): Promise<InputStats> {
    return await earshot.until(
      async () => {
        const { stats } = await earshot.microphoneMetrics();
        return stats !== null && condition(stats) && stats;
      },
      { what, deadlineMs, everyMs: 250 },
    );
  }

  /** Datagrams of the viewer that the device refused. */
  async function refused(): Promise<number> {
    return (await earshot.status()).sessions[0]?.datagramsRefused ?? 0;
  }

  it('has words come back from the packets behind those that were lost', async (t) => {
    assert.deepEqual(await viewer.probe.remoteAddress(), relay.endpoint);
    const speech = await playWav(stage.voice.server, stage.voice.sink, words, { loop: true });
    t.after(() => speech.stop());
    const before = await until('sound', ({ decodedFrames }) => decodedFrames > 50);
    relay.toDevice.set(bad);
    const stats = await until(
      'loss made good, from FEC and without',
      (now) =>
        now.fecSamples - before.fecSamples >= 10 * 960 && now.plcSamples - before.plcSamples >= 960,
      45_000,
    );
    assert.equal(stats.malformedFrames, before.malformedFrames);
    const { sessions } = await earshot.status();
    assert.ok((sessions[0]?.microphoneLost ?? 0) > 0);
    const ms = (samples: number) => Math.round(samples / 48);
    t.diagnostic(`${ms(stats.fecSamples - before.fecSamples)} ms from FEC`);
    t.diagnostic(`${ms(stats.plcSamples - before.plcSamples)} ms made up`);
  });

  it('brings what was said, and counts what became of each packet; the host’s sound goes on', async (t) => {
    const voice = await playChirps(stage.voice);
    t.after(() => voice.stop());
    const before = await until('a delay that covers the jitter', ({ targetMs }) => targetMs > 40);
    const refusedBefore = await refused();
    const [heardBefore, sentBefore] = [await sound(viewer), relay.counts().toDevice];
    const { delaysMs, missed } = await earshot.until(
      async () => {
        const delays = await measureCardDelay({
          from: stage.voice,
          to: stage.hostMicrophone,
          ms: 10_000,
        });
        const all = delays.delaysMs.length + delays.missed;
        return all >= 12 && delays.delaysMs.length / all >= foundShare && delays;
      },
      { what: `${foundShare * 100} % of the chirps at the host`, deadlineMs: 45_000 },
    );
    const { stats } = await earshot.microphoneMetrics();
    assert.ok(stats !== null);
    const sent = relay.counts().toDevice;
    const lost = sent.lost - sentBefore.lost;
    const madeGood = changeOf('fecSamples') + changeOf('plcSamples');
    // Of each lost packet its sound, or what the jitter buffer had no time left for.
    assert.ok(madeGood >= (lost / 2) * 960, `${madeGood} samples for ${lost} packets`);
    // Whatever comes twice is a replay to SRTP (RFC 3711 §3.3.2), and ends there.
    const twice = changeOf('duplicateFrames') + (await refused()) - refusedBefore;
    const duplicated = sent.duplicated - sentBefore.duplicated;
    assert.ok(twice >= duplicated / 2, `${twice} of ${duplicated} dropped`);
    assert.ok(stats.targetMs > 40 && stats.targetMs <= 200, `${stats.targetMs} ms`);
    assert.ok(changeOf('decodedFrames') >= 0.7 * changeOf('receivedFrames'));
    const heard = await sound(viewer);
    const playedMs = (heard.jitterBufferEmittedCount - heardBefore.jitterBufferEmittedCount) / 48;
    assert.ok(playedMs > 0.9 * (heard.timestamp - heardBefore.timestamp), `${playedMs} ms`);
    t.diagnostic(`${delaysMs.length} chirps found, ${missed} not; ${lost} packets lost`);
    t.diagnostic(`${changeOf('lateFrames')} late; ${twice} dropped of ${duplicated} repeated`);
    t.diagnostic(
      `target ${Math.round(stats.targetMs)} ms, jitter ${Math.round(stats.jitterMs)} ms`,
    );

    function changeOf(
      name:
        | 'fecSamples'
        | 'plcSamples'
        | 'lateFrames'
        | 'duplicateFrames'
        | 'decodedFrames'
        | 'receivedFrames',
    ): number {
      return (stats?.[name] ?? 0) - before[name];
    }
  });

  it('comes down with its delay once the network calms, and plays every chirp', async (t) => {
    const voice = await playChirps(stage.voice);
    t.after(() => voice.stop());
    const bad = await until('numbers', () => true);
    const { delaysMs: slow } = await measureCardDelay({
      from: stage.voice,
      to: stage.hostMicrophone,
      ms: 4_000,
    });
    relay.toDevice.set(noImpairment);
    const calmMs = performance.now();
    const calm = await until(
      'a delay for a quiet network',
      ({ targetMs, levelMs }) => targetMs < 0.6 * bad.targetMs && levelMs < 2 * targetMs + 20,
      60_000,
    );
    t.diagnostic(
      `target from ${Math.round(bad.targetMs)} to ${Math.round(calm.targetMs)} ms in ${Math.round(performance.now() - calmMs)} ms`,
    );
    const quick = await earshot.until(
      async () => {
        const { delaysMs, missed } = await measureCardDelay({
          from: stage.voice,
          to: stage.hostMicrophone,
          ms: 4_000,
        });
        return missed === 0 && delaysMs.length >= 4 && delaysMs;
      },
      { what: 'every chirp', deadlineMs: 40_000 },
    );
    const middle = (list: readonly number[]) =>
      [...list].sort((a, b) => a - b)[list.length >> 1] ?? 0;
    assert.ok(middle(quick) < middle(slow), `${middle(quick)} ms, ${middle(slow)} ms before`);
    t.diagnostic(
      `card to card ${Math.round(middle(slow))} ms, then ${Math.round(middle(quick))} ms`,
    );
  });
});
