import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { causesOf, type Snapshot } from '../bench/soak/attribution.ts';
import { measureCardDelay, playChirps } from '../lab/card-delay.ts';
import { type EarshotProcess, startEarshot } from '../lab/earshot-process.ts';
import { ImpairRelay } from '../lab/impair.ts';
import { routeThroughRelay } from '../lab/impaired-page.ts';
import { noImpairment } from '../lab/impairment.ts';
import { type LaneNumbers, lanesOf, onFastLane, preferLatency } from '../lab/lanes.ts';
import { PageProbe } from '../lab/page-probe.ts';
import { type Stage, startStage } from '../lab/stage.ts';
import { playTone } from '../lab/steady-tone.ts';
import { ToneListener } from '../lab/tone-listener.ts';
import { watchedToneHz } from '../lab/tone-watch.ts';

/**
 * The fast lane over a bad network: what the device sends is lost, held up and overtaken on its way, and
 * what comes out of the card that the browser plays into is looked at.
 */

/** A level, relative to the usual, below which something is missing. */
const gapLevel = 0.5;

/** What a break of the tone may come from. */
const counters = ['lost', 'late', 'concealedMs', 'underrunMs'] as const;

describe('the fast lane over a bad network', () => {
  let stage: Stage;
  let earshot: EarshotProcess;
  let relay: ImpairRelay;
  let page: Page;
  let probe: PageProbe;

  before(async () => {
    stage = await startStage();
    earshot = await startEarshot({ card: stage.host });
    stage.defer(() => earshot.stop());
    await earshot.setQuality({ quality: 'ultra' });
    relay = new ImpairRelay({ seed: 6 });
    stage.defer(() => relay.stop());
    page = await stage.browser.newPage();
    await routeThroughRelay(page, relay);
    await preferLatency(page, 'lowest');
    probe = await PageProbe.install(page);
    await page.goto(earshot.url);
    await onFastLane(page);
    assert.deepEqual(await probe.remoteAddress(), relay.endpoint);
  });

  after(() => stage.close());

  /** Of the chirps of so many seconds, the share found at the viewer's card. */
  async function chirpsFound(least: number): Promise<{ share: number; spreadMs: number }> {
    return await earshot.until(
      async () => {
        const { delaysMs, missed } = await measureCardDelay({
          from: stage.host,
          to: stage.desk,
          ms: 5_000,
        });
        const share = delaysMs.length / (delaysMs.length + missed);
        const spreadMs = Math.max(...delaysMs) - Math.min(...delaysMs);
        return delaysMs.length + missed >= 6 && share >= least && { share, spreadMs };
      },
      { what: `${least * 100} % of the chirps at the viewer’s card`, deadlineMs: 30_000 },
    );
  }

  for (const { lossRate, least } of [
    { lossRate: 0.01, least: 1 },
    { lossRate: 0.05, least: 1 },
    { lossRate: 0.1, least: 0.9 },
  ]) {
    it(`plays what is sent at ${lossRate * 100} % loss`, async (t) => {
      const chirps = await playChirps(stage.host);
      t.after(() => chirps.stop());
      const before = await onFastLane(page);
      relay.toViewer.set({ ...noImpairment, lossRate });
      await lanesOf(
        page,
        'redundancy that was asked for',
        ({ fastLane: { numbers } }) =>
          numbers?.redundancy === true && numbers.recovered > before.recovered,
      );
      const { share, spreadMs } = await chirpsFound(least);
      const now = await onFastLane(page);
      t.diagnostic(`${share * 100} % found, delays within ${spreadMs.toFixed(1)} ms`);
      t.diagnostic(changesOf(before, now));
      assert.equal(now.malformed, before.malformed);
    });
  }

  it('has no audible gap in 30 s of a tone at 5 % loss', async (t) => {
    const tone = await playTone(stage.host, watchedToneHz);
    t.after(() => tone.stop());
    relay.toViewer.set({ ...noImpairment, lossRate: 0.05 });
    const before = await lanesOf(
      page,
      'redundancy',
      ({ fastLane: { numbers } }) => numbers?.redundancy === true,
    );
    const listener = new ToneListener(stage.desk);
    const source = new ToneListener(stage.host);
    // The tone's own beginning is none.
    await delay(1_500);
    await Promise.all([listener.start(), source.start()]);
    const snapshots: Snapshot[] = [];
    const look = async (): Promise<LaneNumbers> => {
      const numbers = await onFastLane(page);
      const values = counters.map((name) => [name, numbers[name]] as const);
      const lab = { lab: source.count + source.slips + listener.slips };
      snapshots.push({
        atMs: performance.now(),
        counters: { ...Object.fromEntries(values), ...lab },
      });
      return numbers;
    };
    const first = await look();
    while (listener.watchedMs < 30_000) {
      await delay(500);
      await look();
    }
    await Promise.all([listener.stop(), source.stop()]);
    const last = await look();
    const gaps = listener.heard.filter(({ level }) => level < gapLevel);
    const unexplained = listener.heard.filter(
      (heard) => causesOf(heard, snapshots, [...counters, 'lab']).length === 0,
    );
    t.diagnostic(`${listener.count} breaks heard, ${gaps.length} of them gaps`);
    t.diagnostic(changesOf(first, last));
    t.diagnostic(`redundancy cost ${before.fastLane.numbers?.redundancyKbps} kbit/s`);
    assert.ok(last.recovered - first.recovered > 50, 'packets were recovered');
    assert.deepEqual(gaps, []);
    assert.deepEqual(unexplained, []);
  });

  for (const jitterMs of [10, 40]) {
    it(`plays what is sent with ${jitterMs} ms of jitter, out of order`, async (t) => {
      const chirps = await playChirps(stage.host);
      t.after(() => chirps.stop());
      const before = await onFastLane(page);
      relay.toViewer.set({ ...noImpairment, jitterMs, keepsOrder: false });
      await lanesOf(
        page,
        'a level that covers the jitter',
        ({ fastLane: { numbers } }) => (numbers?.targetMs ?? 0) > 0.6 * jitterMs,
      );
      const { share, spreadMs } = await chirpsFound(1);
      const now = await onFastLane(page);
      t.diagnostic(`${share * 100} % found, delays within ${spreadMs.toFixed(1)} ms`);
      t.diagnostic(`target ${now.targetMs.toFixed(1)} ms, jitter ${now.jitterMs.toFixed(1)} ms`);
      t.diagnostic(changesOf(before, now));
    });
  }
});

function changesOf(before: LaneNumbers, now: LaneNumbers): string {
  const names = ['received', 'lost', 'recovered', 'late', 'concealedMs', 'underrunMs'] as const;
  return names.map((name) => `${name} +${Math.round(now[name] - before[name])}`).join(', ');
}
