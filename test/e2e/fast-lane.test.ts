import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { outputPresets } from '../../src/audio/presets.ts';
import { median } from '../bench/bench.ts';
import { measureCardDelay, playChirps } from '../lab/card-delay.ts';
import { type EarshotProcess, startEarshot } from '../lab/earshot-process.ts';
import {
  chooseLatency,
  type LaneLook,
  type LaneNumbers,
  lanesOf,
  lookAtLanes,
  noteLaneChanges,
  onFastLane,
  shownDelays,
} from '../lab/lanes.ts';
import { openViewer, type Stage, startStage, type Viewer } from '../lab/stage.ts';
import {
  faultsText,
  nearTo,
  noiseFaultsDuring,
  playNoise,
  type Stretch,
} from '../lab/steady-noise.ts';
import { playTone } from '../lab/steady-tone.ts';
import { watchedToneHz } from '../lab/tone-watch.ts';

/**
 * The fast lane, whole: a virtual sound card, the built program, its page in Chromium with its default
 * preferences, and the card that it plays into. The network is the machine's own. What a busy machine can
 * spoil for a moment (a gap, one late chirp) is waited for with a deadline.
 */

const out = 'audio-output';

/** No change may cost more of the sound than one packet of High and Ultra. */
const frameMs = outputPresets.ultra.frameMs;
/** Both are open for 10 ms, the one that is closed fades for another 10, and blocks are 10 ms long. */
const longestDoubledMs = 30;
/** The delay shown is as far as this from the delay heard. */
const agreementMs = 8;

describe('the fast lane', () => {
  let stage: Stage;
  let earshot: EarshotProcess;
  let viewer: Viewer;

  before(async () => {
    stage = await startStage();
    earshot = await startEarshot({ card: stage.host });
    stage.defer(() => earshot.stop());
    await earshot.setQuality({ quality: 'ultra' });
    viewer = await openViewer(stage, { url: earshot.url, latency: 'auto' });
  });

  after(() => stage.close());

  /** Numbers of the fast lane once its first five seconds, in which the level settles, are over. */
  async function settled(): Promise<LaneNumbers> {
    const packets = 5_000 / frameMs;
    const isSettled = ({ fastLane: { numbers } }: LaneLook): boolean =>
      (numbers?.received ?? 0) > packets;
    await lanesOf(viewer.page, 'a settled level', isSettled);
    return await onFastLane(viewer.page);
  }

  /**
   * Delay of chirps from card to card over seconds in which every chirp was found, and the delay that the
   * page showed then; waits until they agree, since a busy machine makes either jump.
   */
  async function delays(): Promise<{ heardMs: number; shownMs: number }> {
    let last = '';
    const agreed = async (): Promise<{ heardMs: number; shownMs: number } | undefined> => {
      const ms = 4_000;
      const [{ delaysMs, missed }, shown] = await Promise.all([
        measureCardDelay({ from: stage.host, to: stage.desk, ms }),
        shownDelays(viewer.page, ms),
      ]);
      const [heardMs, shownMs] = [median(delaysMs), median(shown)];
      last = `${heardMs.toFixed(1)} ms, shown ${shownMs.toFixed(1)} ms, ${missed} missed`;
      const spread = Math.max(...delaysMs) - Math.min(...delaysMs);
      const isWhole = delaysMs.length >= 4 && missed === 0 && spread < 15;
      return isWhole && Math.abs(heardMs - shownMs) <= agreementMs
        ? { heardMs, shownMs }
        : undefined;
    };
    const what = `four seconds in which the delay shown is right to ${agreementMs} ms`;
    return await earshot.until(agreed, { what, deadlineMs: 16_000 }).catch((cause: unknown) => {
      throw new Error(`no ${what}; last ${last}`, { cause });
    });
  }

  it('is what a page plays unasked, and both sides say so', async (t) => {
    const chirps = await playChirps(stage.host);
    t.after(() => chirps.stop());
    const numbers = await onFastLane(viewer.page);
    assert.equal(numbers.malformed, 0);
    const { fastLane } = (await lookAtLanes(viewer.page)) ?? {};
    assert.equal(fastLane?.state.via, 'channel');
    assert.equal(fastLane.state.isolated, true, 'the page shares memory with its worklet');
    const lane = await earshot.until(
      async () => {
        const [session] = (await earshot.status()).sessions;
        return session?.fastLane?.sounding === true && session.fastLane;
      },
      { what: 'a session that says it sounds on the fast lane', deadlineMs: 5_000 },
    );
    assert.equal(lane.via, 'channel');
    assert.ok(lane.packetsSent > 0);
    assert.ok(lane.report.received > 0);
  });

  it('brings the sound that was played, sooner than the track, and shows either’s delay to 8 ms', async (t) => {
    const chirps = await playChirps(stage.host);
    t.after(() => chirps.stop());
    await chooseLatency(viewer.page, 'lowest');
    await settled();
    const fast = await delays();
    t.diagnostic(`fast lane ${fast.heardMs.toFixed(1)} ms, shown ${fast.shownMs.toFixed(1)} ms`);
    assert.equal((await lookAtLanes(viewer.page))?.lane, 'fast');
    await chooseLatency(viewer.page, 'steady');
    await lanesOf(viewer.page, 'track', ({ lane }) => lane === 'track');
    const track = await delays();
    t.diagnostic(`track ${track.heardMs.toFixed(1)} ms, shown ${track.shownMs.toFixed(1)} ms`);
    assert.ok(fast.heardMs > 0 && fast.heardMs < track.heardMs);
  });

  it('changes lanes while it sounds: no gap longer than a frame, and never both', async (t) => {
    const noise = await playNoise(stage.host);
    t.after(() => noise.stop());
    const { page } = viewer;
    await chooseLatency(page, 'lowest');
    await onFastLane(page);
    const changes = await noteLaneChanges(page);
    await earshot.until(
      async () => {
        const changesBefore = (await changes()).length;
        const { gaps, doubled } = await noiseFaultsDuring(stage.desk, async () => {
          for (const [latency, lane] of [
            ...[['steady', 'track'] as const, ['lowest', 'fast'] as const],
            ...[['steady', 'track'] as const, ['lowest', 'fast'] as const],
          ]) {
            await chooseLatency(page, latency);
            await lanesOf(page, lane, (look) => look.lane === lane);
            await delay(500);
          }
        });
        const times = (await changes()).slice(changesBefore).map(({ atMs }) => atMs);
        assert.equal(times.length, 4);
        const faults = [
          ...nearTo(gaps, times).filter(({ ms }) => ms > frameMs),
          ...nearTo(doubled, times).filter(({ ms }) => ms > longestDoubledMs),
        ];
        t.diagnostic(faultsText({ gaps, doubled }, times));
        return faults.length === 0;
      },
      { what: 'four changes without a gap', deadlineMs: 30_000 },
    );
  });

  it('plays on through every preset', async (t) => {
    // A tone: what Low makes of noise has holes of its own.
    const tone = await playTone(stage.host, watchedToneHz);
    t.after(() => tone.stop());
    const { page } = viewer;
    await chooseLatency(page, 'lowest');
    await earshot.until(
      async () => {
        // A page of its own each time: one that has seen long packets buffers more.
        await page.reload();
        const before = await settled();
        const times: number[] = [];
        const { gaps } = await noiseFaultsDuring(stage.desk, async () => {
          for (const quality of ['high', 'medium', 'low', 'ultra'] as const) {
            times.push(performance.now());
            assert.equal((await earshot.setQuality({ quality })).applied, 'live');
            await delay(1_000);
          }
        });
        t.diagnostic(faultsText({ gaps, doubled: [] }, times));
        const now = await onFastLane(page);
        t.diagnostic(`underrun +${(now.underrunMs - before.underrunMs).toFixed(1)} ms`);
        assert.equal(now.lost - before.lost, 0);
        assert.equal(now.malformed, 0);
        const isBreak = ({ fromMs, ms }: Stretch): boolean =>
          ms > (fromMs < (times[1] ?? 0) ? frameMs : outputPresets.low.frameMs);
        return !gaps.some(isBreak);
      },
      { what: 'every preset without a break', deadlineMs: 30_000 },
    );
  });

  it('sounds again by itself when the capturing process is killed', async (t) => {
    const chirps = await playChirps(stage.host);
    t.after(() => chirps.stop());
    await onFastLane(viewer.page);
    const before = await earshot.child(out);
    await earshot.killChild(out);
    await earshot.until(
      async () => {
        const { state, restarts } = await earshot.child(out);
        return state === 'running' && restarts > before.restarts;
      },
      { what: 'a restart of the child', deadlineMs: 15_000 },
    );
    const { received } = await onFastLane(viewer.page);
    await lanesOf(
      viewer.page,
      'packets of the new process on the fast lane',
      ({ lane, fastLane: { numbers } }) =>
        lane === 'fast' && (numbers?.received ?? 0) > received + 100,
      30_000,
    );
    const { heardMs } = await delays();
    t.diagnostic(`${heardMs.toFixed(1)} ms afterwards`);
    assert.equal((await onFastLane(viewer.page)).malformed, 0);
  });
});
