import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { measureCardDelay, playChirps } from '../lab/card-delay.ts';
import { type EarshotProcess, startEarshot } from '../lab/earshot-process.ts';
import { ImpairRelay } from '../lab/impair.ts';
import { routeThroughRelay } from '../lab/impaired-page.ts';
import { noImpairment } from '../lab/impairment.ts';
import {
  type LaneLook,
  lanesOf,
  lookAtLanes,
  noteLaneChanges,
  onFastLane,
  preferLatency,
} from '../lab/lanes.ts';
import { PageProbe } from '../lab/page-probe.ts';
import { type Stage, startStage } from '../lab/stage.ts';
import { faultsText, nearTo, noiseFaultsDuring, playNoise } from '../lab/steady-noise.ts';

/**
 * Where the fast lane is of no use, and where there is nothing else: a network that is too rough for it,
 * one that lets no UDP pass, a browser without what it is built of, and parts of it that break under
 * way. The sound goes on in all of them. What a busy machine can spoil for a moment is waited for with a deadline.
 */

/** The track takes over so soon after the fast lane failed. */
const takeoverMs = 200;
/** One packet of Ultra. */
const frameMs = 10;
/** Both are open for 10 ms, the one that is closed fades for another 10, and blocks are 10 ms long. */
const longestDoubledMs = 30;

describe('the fast lane and the way around it', () => {
  let stage: Stage;
  let earshot: EarshotProcess;

  before(async () => {
    stage = await startStage();
    earshot = await startEarshot({ card: stage.host });
    stage.defer(() => earshot.stop());
    await earshot.setQuality({ quality: 'ultra' });
  });

  after(() => stage.close());

  /** Opens Earshot's page, which `prepare` may change before it loads; closed after the test. */
  async function open(t: TestContext, prepare: (page: Page) => Promise<unknown>): Promise<Page> {
    const page = await stage.browser.newPage();
    t.after(() => page.context().close());
    await prepare(page);
    await page.goto(earshot.url);
    return page;
  }

  /** Waits until every chirp of some seconds came out of the viewer's card. */
  async function hearsChirps(t: TestContext): Promise<void> {
    const chirps = await playChirps(stage.host);
    t.after(() => chirps.stop());
    await earshot.until(
      async () => {
        const { delaysMs, missed } = await measureCardDelay({
          from: stage.host,
          to: stage.desk,
          ms: 2_500,
        });
        return delaysMs.length >= 3 && missed === 0;
      },
      { what: 'two seconds with every chirp found', deadlineMs: 30_000 },
    );
  }

  /** Waits until a page says that it plays the track, and why. */
  function onTrackBecause(page: Page, reason: RegExp): Promise<LaneLook> {
    return lanesOf(
      page,
      `track because ${reason}`,
      ({ lane, laneReason }) => lane === 'track' && reason.test(laneReason),
    );
  }

  it('goes over to the track when the network is too rough, and back when it is calm, without a gap', async (t) => {
    const noise = await playNoise(stage.host);
    t.after(() => noise.stop());
    const relay = new ImpairRelay({ seed: 8 });
    t.after(() => relay.stop());
    const page = await open(t, (opened) => routeThroughRelay(opened, relay));
    await onFastLane(page);
    const changes = await noteLaneChanges(page);
    const faults = await noiseFaultsDuring(stage.desk, async () => {
      // Not at once: a jitter buffer that grows in time leaves no gap, on neither lane.
      for (const jitterMs of [20, 40, 60, 80, 100, 120]) {
        relay.toViewer.set({ jitterMs });
        await delay(1_000);
      }
      const { laneReason } = await lanesOf(page, 'track', ({ lane }) => lane === 'track');
      assert.match(laneReason, /\w+ \w+/);
      t.diagnostic(laneReason);
      relay.toViewer.set(noImpairment);
      await lanesOf(page, 'fast lane again', ({ lane }) => lane === 'fast', 40_000);
      await delay(500);
    });
    const lanes = await changes();
    assert.deepEqual(
      lanes.map(({ lane }) => lane),
      ['track', 'fast'],
    );
    const times = lanes.map(({ atMs }) => atMs);
    t.diagnostic(faultsText(faults, times));
    const gaps = nearTo(faults.gaps, times).filter(({ ms }) => ms > frameMs);
    assert.deepEqual(gaps, []);
    const doubled = nearTo(faults.doubled, times).filter(({ ms }) => ms > longestDoubledMs);
    assert.deepEqual(doubled, []);
  });

  it('sounds over a WebSocket where UDP does not pass, though no track can', async (t) => {
    const relay = new ImpairRelay({ seed: 7 });
    t.after(() => relay.stop());
    relay.toViewer.set({ lossRate: 1 });
    relay.toDevice.set({ lossRate: 1 });
    let probe: PageProbe | undefined;
    const page = await open(t, async (opened) => {
      await routeThroughRelay(opened, relay);
      probe = await PageProbe.install(opened);
    });
    const look = await lanesOf(
      page,
      'sound over a WebSocket',
      ({ lane, fastLane }) => lane === 'fast' && fastLane.state.via === 'websocket',
    );
    assert.equal(look.fastLane.state.kind, 'running');
    await hearsChirps(t);
    const states = (await probe?.connectionStates()) ?? [];
    assert.ok(!states.includes('connected'), states.join(', '));
    const { sessions } = await earshot.status();
    assert.ok(sessions.some(({ fastLane }) => fastLane?.via === 'websocket'));
  });

  it('plays the track in a browser without WebCodecs, and says why', async (t) => {
    const page = await open(t, (opened) =>
      opened.addInitScript('delete globalThis.AudioDecoder; delete globalThis.EncodedAudioChunk;'),
    );
    const { fastLane } = await onTrackBecause(page, /WebCodecs|decode/i);
    assert.notEqual(fastLane.state.kind, 'running');
    await hearsChirps(t);
    assert.equal((await lookAtLanes(page))?.lane, 'track');
  });

  it('plays the track when the worklet does not load, and says so', async (t) => {
    const page = await open(t, (opened) =>
      opened.addInitScript(`const real = AudioWorklet.prototype.addModule;
        AudioWorklet.prototype.addModule = function (url, options) {
          return real.call(this, new URL('/assets/no-such-worklet.js', location.href), options);
        };`),
    );
    t.diagnostic(await reasonOfFailure(page));
    await hearsChirps(t);
    assert.equal((await lookAtLanes(page))?.lane, 'track');
  });

  for (const [fault, script] of [
    ['its decoder throws', breakingDecoder("throw new Error('lab: the decoder broke')")],
    ['its worker breaks', breakingDecoder("setTimeout(() => { throw new Error('lab: broken'); })")],
  ] as const) {
    it(`goes over to the track within ${takeoverMs} ms when ${fault}`, async (t) => {
      const noise = await playNoise(stage.host);
      t.after(() => noise.stop());
      const page = await open(t, async (opened) => {
        await preferLatency(opened, 'lowest');
        await opened.route('**/assets/fast-lane-worker.js', async (route) => {
          const response = await route.fetch();
          await route.fulfill({ response, body: `${script}\n${await response.text()}` });
        });
      });
      await onFastLane(page);
      const { gaps } = await noiseFaultsDuring(stage.desk, async () => {
        t.diagnostic(await reasonOfFailure(page));
        await delay(500);
      });
      t.diagnostic(faultsText({ gaps, doubled: [] }));
      assert.deepEqual(
        gaps.filter(({ ms }) => ms > takeoverMs),
        [],
      );
    });
  }
});

/** Waits until a page's fast lane failed and the track plays; resolves to the reason that the page gives. */
async function reasonOfFailure(page: Page): Promise<string> {
  const { laneReason, fastLane } = await lanesOf(
    page,
    'the track after a failure',
    ({ lane, fastLane: { state } }) => lane === 'track' && state.kind === 'failed',
  );
  assert.equal(laneReason, fastLane.state.reason);
  assert.match(laneReason, /\w+ \w+/);
  return laneReason;
}

/** A script for the worker: its decoder does `fault` after five seconds of packets, and again at each later one. */
function breakingDecoder(fault: string): string {
  return `{
    const Real = globalThis.AudioDecoder;
    let decoded = 0;
    globalThis.AudioDecoder = class extends Real {
      decode(chunk) {
        decoded += 1;
        if (decoded > 500) ${fault};
        else super.decode(chunk);
      }
    };
  }`;
}
