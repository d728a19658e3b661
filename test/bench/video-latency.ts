import { setTimeout as delay } from 'node:timers/promises';
import { startEarshot } from '../lab/earshot-process.ts';
import { FlashLab } from '../lab/flash-lab.ts';
import { startGstScreenPeer } from '../lab/gst-peer.ts';
import { MachineLoad } from '../lab/process-usage.ts';
import { openViewer, type Stage, startStage, type Viewer } from '../lab/stage.ts';
import { startXScreen, type XScreen } from '../lab/x-screen.ts';
import { type BenchOptions, type BenchResult, median, percentile, round } from './bench.ts';

/**
 * From the host's screen to the displayed picture: rows of a virtual screen turn bright or dark, and the
 * browser says when it shows the first picture with the change. Earshot and GStreamer's webrtcbin, both
 * with VP8 at 30 pictures a second and the same encoder settings, take turns, each in a fresh page. Half a
 * picture's time is in every figure: the screen is looked at every 33 ms.
 */

const framesPerSecond = 30;
const bitrateKbps = 1_800;

interface Plan {
  readonly rounds: number;
  readonly settleMs: number;
  readonly flashes: number;
}

const wholePlan: Plan = { rounds: 3, settleMs: 3_000, flashes: 40 };
const shortPlan: Plan = { rounds: 1, settleMs: 500, flashes: 4 };

export async function run({ short, progress }: BenchOptions): Promise<BenchResult> {
  const plan = short ? shortPlan : wholePlan;
  const stage = await startStage();
  try {
    const screen = await startXScreen();
    stage.defer(() => screen.stop());
    const earshot = await startEarshot({
      card: stage.host,
      config: {
        video: { device: `x11:${screen.display}`, encoder: 'vp8', framesPerSecond },
      },
    });
    stage.defer(() => earshot.stop());
    const load = new MachineLoad();
    await load.start();
    const ours: number[][] = [];
    const theirs: number[][] = [];
    for (let n = 0; n < plan.rounds; n += 1) {
      const viewer = await openViewer(stage, { url: earshot.url });
      ours.push(await measure({ viewer, screen, plan }));
      await viewer.close();
      theirs.push(await measurePeer({ stage, screen, plan }));
      progress(
        `earshot ${round(median(ours.at(-1) ?? []))} ms, peer ${round(median(theirs.at(-1) ?? []))} ms`,
      );
    }
    return resultOf(ours, theirs, await load.busy());
  } finally {
    await stage.close();
  }
}

async function measurePeer(options: {
  readonly stage: Stage;
  readonly screen: XScreen;
  readonly plan: Plan;
}): Promise<number[]> {
  const { stage, screen, plan } = options;
  const viewer = await openViewer(stage, { url: 'about:blank' });
  const peer = await startGstScreenPeer({
    ...{ display: screen.display, probe: viewer.probe },
    ...{ framesPerSecond, bitrateKbps },
  });
  const delaysMs = await measure({ viewer, screen, plan });
  await peer.stop();
  await viewer.close();
  return delaysMs;
}

/** How long each flash took, ms. */
async function measure(options: {
  readonly viewer: Viewer;
  readonly screen: XScreen;
  readonly plan: Plan;
}): Promise<number[]> {
  const { viewer, screen, plan } = options;
  const flashes = new FlashLab({ screen, viewer });
  await flashes.start();
  await delay(plan.settleMs);
  return await flashes.measure(plan.flashes);
}

function resultOf(
  ours: readonly (readonly number[])[],
  theirs: readonly (readonly number[])[],
  busy: number,
): BenchResult {
  const figures = (rounds: readonly (readonly number[])[]) => {
    const p50s = rounds.map((delays) => percentile(delays, 0.5));
    return {
      p50Ms: round(median(p50s)),
      p95Ms: round(median(rounds.map((delays) => percentile(delays, 0.95)))),
      rangeMs: [round(Math.min(...p50s)), round(Math.max(...p50s))],
    };
  };
  const earshot = figures(ours);
  const peer = figures(theirs);
  const ratio = round(earshot.p50Ms / peer.p50Ms, 3);
  return {
    fields: {
      ...{ p50Ms: earshot.p50Ms, p95Ms: earshot.p95Ms, rangeMs: earshot.rangeMs, peer, ratio },
      ...{ framesPerSecond, rounds: ours.length, machineBusy: round(busy, 2) },
    },
    budgets: [{ name: 'ratio (earshot / peer)', value: ratio, is: 'at most', limit: 1 }],
  };
}
