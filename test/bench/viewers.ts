import { setTimeout as delay } from 'node:timers/promises';
import { defaultPreset, outputPresets } from '../../src/audio/presets.ts';
import { measureCardDelay, playChirps } from '../lab/card-delay.ts';
import { type EarshotProcess, startEarshot } from '../lab/earshot-process.ts';
import { FlashLab } from '../lab/flash-lab.ts';
import { cpuMs, MachineLoad } from '../lab/process-usage.ts';
import { openViewer, type Stage, sound, startStage, type Viewer } from '../lab/stage.ts';
import { startXScreen, type XScreen } from '../lab/x-screen.ts';
import { type BenchOptions, type BenchResult, median, round } from './bench.ts';
import {
  assertReceived,
  type LeastRates,
  type Rates,
  ratesBetween,
  type Snapshot,
} from './viewers/rates.ts';
import { ReceiverProcess } from './viewers/receiver-process.ts';

/**
 * What viewers cost: 1, 2, 4 and 8 of them hear and see the host, of whom one is a browser that says how late
 * its sound and its picture are; the others receive everything, answer it as a browser does, and decode nothing.
 * Processor time of the main process, and of the video child, which encodes once for all. Part of the screen
 * is noise, so that the picture takes all the bitrate that it may. What is counted at each viewer must be what
 * the device is asked to send: else nothing was measured, and the benchmark fails.
 */

const framesPerSecond = 30;
const maxKbps = 1_800;
const packetBytes = 1_200;
const { frameMs } = outputPresets[defaultPreset];
/** What one viewer is to receive. An encoder at a constant bitrate may stay a fifth below it. */
const expected: LeastRates = {
  soundPacketsPerS: 1_000 / frameMs,
  videoPacketsPerS: (0.8 * maxKbps * 1_000) / 8 / packetBytes,
  picturesPerS: framesPerSecond,
};

interface Plan {
  readonly counts: readonly number[];
  readonly settleMs: number;
  readonly measureMs: number;
  readonly flashes: number;
  /** Share of what is expected that each viewer must receive at least. */
  readonly leastShare: number;
}

const wholePlan: Plan = {
  ...{ counts: [1, 2, 4, 8], settleMs: 4_000, measureMs: 10_000, flashes: 30 },
  leastShare: 0.9,
};
/** A busy machine is no fault here, but each viewer must receive both. */
const shortPlan: Plan = {
  ...{ counts: [1, 2], settleMs: 500, measureMs: 2_000, flashes: 4 },
  leastShare: 0.2,
};

interface Row {
  readonly mainMsPerS: number;
  readonly videoMsPerS: number;
  /** Of all viewers but the browser: how far they are from being busy themselves. */
  readonly receiversMsPerS: number;
  readonly picture: { readonly p50Ms: number };
  readonly sound: { readonly p50Ms: number; readonly missed: number };
  /** What reached each viewer; the browser is the first. */
  readonly received: readonly Rates[];
}

interface Lab {
  readonly stage: Stage;
  readonly screen: XScreen;
  readonly earshot: EarshotProcess;
  readonly videoPid: number;
}

export async function run({ short, progress }: BenchOptions): Promise<BenchResult> {
  const plan = short ? shortPlan : wholePlan;
  const stage = await startStage();
  try {
    const lab = await startLab(stage);
    const load = new MachineLoad();
    await load.start();
    const rows = new Map<number, Row>();
    for (const viewers of plan.counts) {
      const row = await measure(lab, viewers, plan);
      rows.set(viewers, row);
      const { mainMsPerS, videoMsPerS, picture, sound, received } = row;
      progress(
        `${viewers} viewers: main ${mainMsPerS}, video ${videoMsPerS} ms/s; picture ${picture.p50Ms}, sound ${sound.p50Ms} ms`,
      );
      for (const [n, rates] of received.entries()) {
        const { soundPacketsPerS, videoPacketsPerS, picturesPerS, videoKbps } = rates;
        progress(
          `  viewer ${n}: sound ${soundPacketsPerS}, video ${videoPacketsPerS} packets/s, ${picturesPerS} pictures/s, ${videoKbps} kbit/s`,
        );
      }
    }
    return resultOf(rows, await load.busy());
  } finally {
    await stage.close();
  }
}

async function startLab(stage: Stage): Promise<Lab> {
  const chirps = await playChirps(stage.host);
  stage.defer(() => chirps.stop());
  const screen = await startXScreen();
  stage.defer(() => screen.stop());
  screen.run([
    ...['gst-launch-1.0', '-q', 'videotestsrc', 'pattern=snow', 'is-live=true', '!'],
    // So much noise fills the bitrate, and no more than that: an encoder cannot make it smaller than it can.
    ...['video/x-raw,width=192,height=144,framerate=30/1', '!', 'videoconvert', '!'],
    'ximagesink',
  ]);
  const earshot = await startEarshot({
    card: stage.host,
    config: {
      video: { device: `x11:${screen.display}`, encoder: 'vp8', framesPerSecond, maxKbps },
      media: { maxViewers: 16 },
    },
  });
  stage.defer(() => earshot.stop());
  return { stage, screen, earshot, videoPid: (await earshot.child('video')).pid ?? 0 };
}

async function measure(lab: Lab, viewers: number, plan: Plan): Promise<Row> {
  const { stage, screen, earshot, videoPid } = lab;
  const browser = await openViewer(stage, { url: earshot.url });
  const receivers = new ReceiverProcess({ url: earshot.url, count: viewers - 1 });
  try {
    await receivers.ready();
    await sound(browser);
    const flashes = new FlashLab({ screen, viewer: browser });
    await flashes.start();
    await delay(plan.settleMs);
    const all = async (): Promise<readonly Snapshot[]> => [
      await received(browser),
      ...(await receivers.received()),
    ];
    const pids = [earshot.pid, videoPid, receivers.pid];
    const countsBefore = await all();
    const startMs = performance.now();
    const before = await Promise.all(pids.map(cpuMs));
    await delay(plan.measureMs);
    const after = await Promise.all(pids.map(cpuMs));
    const seconds = (performance.now() - startMs) / 1_000;
    const countsAfter = await all();
    const [main = 0, video = 0, others = 0] = after.map(
      (ms, n) => (ms - (before[n] ?? 0)) / seconds,
    );
    const rates = countsAfter.map((counts, n) => ratesBetween(countsBefore[n] ?? counts, counts));
    if (rates.length !== viewers) throw new Error(`${rates.length} viewers, not ${viewers}`);
    await assertReceivedBy(earshot, rates, shareOf(expected, plan.leastShare));
    const pictureMs = round(median(await flashes.measure(plan.flashes)));
    const { host: from, desk: to } = stage;
    const { delaysMs, missed } = await measureCardDelay({ from, to, ms: plan.measureMs });
    return {
      mainMsPerS: round(main),
      videoMsPerS: round(video),
      receiversMsPerS: round(others),
      picture: { p50Ms: pictureMs },
      sound: { p50Ms: round(median(delaysMs)), missed },
      received: rates,
    };
  } finally {
    await receivers.stop();
    await browser.close();
  }
}

/** Throws with what the device says of its viewers when one of them did not receive enough. */
async function assertReceivedBy(
  earshot: EarshotProcess,
  rates: readonly Rates[],
  least: LeastRates,
): Promise<void> {
  try {
    assertReceived(rates, least);
  } catch (cause) {
    const { sessions } = await earshot.status();
    throw new Error(`too little received; the device's sessions: ${JSON.stringify(sessions)}`, {
      cause,
    });
  }
}

function shareOf(rates: LeastRates, share: number): LeastRates {
  return {
    soundPacketsPerS: share * rates.soundPacketsPerS,
    videoPacketsPerS: share * rates.videoPacketsPerS,
    picturesPerS: share * rates.picturesPerS,
  };
}

/** What has reached the browser; a picture counts when it was decoded. */
async function received({ probe }: Viewer): Promise<Snapshot> {
  const [audio, video] = [await probe.inboundAudio(), await probe.inboundVideo()];
  return {
    atMs: video?.timestamp ?? Number.NaN,
    soundPackets: audio?.packetsReceived ?? Number.NaN,
    videoPackets: video?.packetsReceived ?? Number.NaN,
    videoBytes: video?.bytesReceived ?? Number.NaN,
    pictures: video?.framesDecoded ?? Number.NaN,
  };
}

function resultOf(rows: ReadonlyMap<number, Row>, busy: number): BenchResult {
  const [first] = rows;
  const last = [...rows].at(-1);
  if (first === undefined || last === undefined) throw new Error('nothing was measured');
  const extraViewerMsPerS = (last[1].mainMsPerS - first[1].mainMsPerS) / (last[0] - first[0]);
  const share = round(extraViewerMsPerS / (first[1].mainMsPerS + first[1].videoMsPerS), 3);
  return {
    fields: {
      counts: Object.fromEntries(rows),
      extraViewerMsPerS: round(extraViewerMsPerS),
      extraViewerShare: share,
      ...{ framesPerSecond, maxKbps, machineBusy: round(busy, 2) },
    },
    budgets: [{ name: 'extra viewer / first viewer', value: share, is: 'at most', limit: 0.2 }],
  };
}
