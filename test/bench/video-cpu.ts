import { setTimeout as delay } from 'node:timers/promises';
import { type EarshotProcess, startEarshot } from '../lab/earshot-process.ts';
import { startGstScreenPeer } from '../lab/gst-peer.ts';
import { cpuMs } from '../lab/process-usage.ts';
import { openViewer, type Stage, sound, startStage, type Viewer } from '../lab/stage.ts';
import { startXScreen, type XScreen } from '../lab/x-screen.ts';
import { type BenchOptions, type BenchResult, median, round } from './bench.ts';

/**
 * Processor time per second of picture: a 720p screen on which something moves, VP8 at 30 pictures a second,
 * one viewer. Earshot's main process and its video child, the sound's share taken off, and GStreamer's
 * webrtcbin with one and with two threads for its encoder, whose other settings are Earshot's, take turns. The
 * peer that takes less counts, of those whose viewer decodes the pictures that are paid for.
 */

const framesPerSecond = 30;
const bitrateKbps = 1_800;
const peerThreads = [1, 2] as const;

interface Plan {
  readonly rounds: number;
  readonly settleMs: number;
  readonly measureMs: number;
  /** Share of the pictures that a viewer must decode at least. */
  readonly leastShare: number;
}

const wholePlan: Plan = { rounds: 3, settleMs: 4_000, measureMs: 10_000, leastShare: 0.9 };
/** A busy machine is no fault here. */
const shortPlan: Plan = { rounds: 1, settleMs: 500, measureMs: 2_000, leastShare: 0.2 };

/** What one who shows the picture takes, ms of one core per second of each process, and what was seen of it. */
interface Shown {
  readonly msPerS: readonly number[];
  readonly picturesPerS: number;
}

interface Round {
  /** Its main process and its video child. */
  readonly earshot: Shown;
  /** The main process of one that has no picture, ms of one core per second. */
  readonly soundMsPerS: number;
  /** In the order of `peerThreads`. */
  readonly peers: readonly Shown[];
}

interface Lab {
  readonly stage: Stage;
  readonly screen: XScreen;
  readonly seeing: EarshotProcess;
  readonly videoPid: number;
  readonly hearing: EarshotProcess;
}

export async function run({ short, progress }: BenchOptions): Promise<BenchResult> {
  const plan = short ? shortPlan : wholePlan;
  const stage = await startStage();
  try {
    const lab = await startLab(stage);
    const rounds: Round[] = [];
    for (let n = 0; n < plan.rounds; n += 1) {
      const one = await measureRound(lab, plan);
      rounds.push(one);
      const [main = 0, video = 0] = one.earshot.msPerS;
      const peers = one.peers.map(({ msPerS }) => round(msPerS[0] ?? 0));
      progress(
        `main ${round(main)} (sound alone ${round(one.soundMsPerS)}), video ${round(video)}, peer ${peers.join(' or ')} ms/s`,
      );
    }
    return resultOf(rounds, plan.leastShare * framesPerSecond);
  } finally {
    await stage.close();
  }
}

async function startLab(stage: Stage): Promise<Lab> {
  const screen = await startXScreen();
  stage.defer(() => screen.stop());
  screen.run([
    ...['gst-launch-1.0', '-q', 'videotestsrc', 'pattern=ball', 'is-live=true', '!'],
    ...['video/x-raw,width=640,height=480,framerate=30/1', '!', 'videoconvert', '!'],
    'ximagesink',
  ]);
  const video = { device: `x11:${screen.display}`, encoder: 'vp8', framesPerSecond };
  const seeing = await startEarshot({ card: stage.host, config: { video } });
  stage.defer(() => seeing.stop());
  const hearing = await startEarshot({ card: stage.host });
  stage.defer(() => hearing.stop());
  const videoPid = (await seeing.child('video')).pid ?? 0;
  return { stage, screen, seeing, videoPid, hearing };
}

async function measureRound(lab: Lab, plan: Plan): Promise<Round> {
  const { stage, screen, seeing, videoPid, hearing } = lab;
  const viewer = await openViewer(stage, { url: seeing.url });
  const earshot = await show('Earshot', viewer, plan, [seeing.pid, videoPid]);
  await viewer.close();
  const listener = await openViewer(stage, { url: hearing.url });
  await sound(listener);
  const [soundMsPerS = 0] = await perSecond(plan, [hearing.pid]);
  await listener.close();
  const peers: Shown[] = [];
  for (const threads of peerThreads) {
    const blank = await openViewer(stage, { url: 'about:blank' });
    const rival = await startGstScreenPeer({
      ...{ display: screen.display, probe: blank.probe },
      ...{ framesPerSecond, bitrateKbps, threads },
    });
    peers.push(await show(`the peer, threads=${threads}`, blank, plan, [rival.pid]));
    await rival.stop();
    await blank.close();
  }
  return { earshot, soundMsPerS, peers };
}

/** Measures while `viewer` decodes pictures. Throws when it decodes none. */
async function show(
  who: string,
  { page, probe }: Viewer,
  plan: Plan,
  pids: readonly number[],
): Promise<Shown> {
  const deadline = performance.now() + 20_000;
  while (((await probe.inboundVideo())?.framesDecoded ?? 0) < 10) {
    if (performance.now() > deadline) throw new Error(`${who}: no picture within 20 s`);
    await page.waitForTimeout(50);
  }
  const before = await probe.inboundVideo();
  const msPerS = await perSecond(plan, pids);
  const after = await probe.inboundVideo();
  const seconds = ((after?.timestamp ?? 0) - (before?.timestamp ?? 0)) / 1_000;
  const picturesPerS = ((after?.framesDecoded ?? 0) - (before?.framesDecoded ?? 0)) / seconds;
  return { msPerS, picturesPerS };
}

/** What each of the processes takes, ms of one core per second. */
async function perSecond(plan: Plan, pids: readonly number[]): Promise<number[]> {
  await delay(plan.settleMs);
  const startMs = performance.now();
  const before = await Promise.all(pids.map(cpuMs));
  await delay(plan.measureMs);
  const after = await Promise.all(pids.map(cpuMs));
  const seconds = (performance.now() - startMs) / 1_000;
  return after.map((ms, n) => (ms - (before[n] ?? 0)) / seconds);
}

/** Throws when Earshot's viewer, or those of both peers, decoded fewer than `leastPictures` a second. */
function resultOf(rounds: readonly Round[], leastPictures: number): BenchResult {
  const middle = (figure: (one: Round) => number | undefined): number =>
    round(median(rounds.map((one) => figure(one) ?? Number.NaN)));
  const mainMsPerS = middle(({ earshot }) => earshot.msPerS[0]);
  const videoMsPerS = middle(({ earshot }) => earshot.msPerS[1]);
  const soundMsPerS = middle((one) => one.soundMsPerS);
  const peers = peerThreads.map((threads, n) => ({
    threads,
    msPerS: middle((one) => one.peers[n]?.msPerS[0]),
    picturesPerS: middle((one) => one.peers[n]?.picturesPerS),
  }));
  const picturesPerS = middle(({ earshot }) => earshot.picturesPerS);
  const [best] = peers
    .filter((one) => one.picturesPerS >= leastPictures)
    .sort((a, b) => a.msPerS - b.msPerS);
  if (best === undefined || !(picturesPerS >= leastPictures)) {
    throw new Error(
      `fewer than ${leastPictures} pictures a second: Earshot ${picturesPerS}, peers ${JSON.stringify(peers)}`,
    );
  }
  const ratio = round((mainMsPerS - soundMsPerS + videoMsPerS) / best.msPerS, 3);
  return {
    fields: {
      ...{ mainMsPerS, soundMsPerS, videoMsPerS },
      picturesPerS,
      ...{ peerMsPerS: best.msPerS, peerThreads: best.threads, peers, ratio },
      ...{ framesPerSecond, bitrateKbps, rounds: rounds.length },
    },
    budgets: [
      { name: 'ratio ((main − sound + video) / peer)', value: ratio, is: 'at most', limit: 1 },
    ],
  };
}
