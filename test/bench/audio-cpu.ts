import { setTimeout as delay } from 'node:timers/promises';
import { outputPresets } from '../../src/audio/presets.ts';
import { playChirps } from '../lab/card-delay.ts';
import { startEarshot } from '../lab/earshot-process.ts';
import { startGstPeer } from '../lab/gst-peer.ts';
import { cpuMs } from '../lab/process-usage.ts';
import { openViewer, sound, startStage } from '../lab/stage.ts';
import { type BenchOptions, type BenchResult, median, round } from './bench.ts';

/**
 * Processor time per second of sound, at the preset High (128 kbps, 10 ms) and the peer at the same
 * bitrate, frame length and encoder complexity. Earshot with one viewer, with two, and the peer take turns.
 */

const { bitrateBps, complexity } = outputPresets.high;
const frameMs = outputPresets.high.frameMs;

interface Round {
  readonly idleMs: number;
  readonly mainMs: number;
  readonly outputMs: number;
  readonly extraViewerMs: number;
  readonly peerMs: number;
}

export async function run({ short, progress }: BenchOptions): Promise<BenchResult> {
  const plan = short
    ? { rounds: 1, settleMs: 500, measureMs: 2_000 }
    : { rounds: 3, settleMs: 3_000, measureMs: 10_000 };
  const stage = await startStage();
  try {
    const chirps = await playChirps(stage.host);
    stage.defer(() => chirps.stop());
    const earshot = await startEarshot({ card: stage.host });
    stage.defer(() => earshot.stop());
    await earshot.setQuality({ quality: 'high' });
    const outputPid = (await earshot.child('audio-output')).pid ?? 0;

    const perSecond = async (...pids: number[]): Promise<number[]> => {
      await delay(plan.settleMs);
      const startMs = performance.now();
      const before = await Promise.all(pids.map(cpuMs));
      await delay(plan.measureMs);
      const after = await Promise.all(pids.map(cpuMs));
      const seconds = (performance.now() - startMs) / 1_000;
      return after.map((ms, n) => (ms - (before[n] ?? 0)) / seconds);
    };

    const rounds: Round[] = [];
    for (let n = 0; n < plan.rounds; n += 1) {
      const idle = n === 0 ? await perSecond(earshot.pid, outputPid) : [];
      const first = await openViewer(stage, { url: earshot.url });
      await sound(first);
      const [mainBeforeMs = 0, outputMs = 0] = await perSecond(earshot.pid, outputPid);
      const second = await openViewer(stage, { url: earshot.url });
      await sound(second);
      const [mainTwoMs = 0] = await perSecond(earshot.pid);
      await second.close();
      // One viewer again: what else the machine does weighs on both sides of the difference alike.
      const [mainAfterMs = 0] = await perSecond(earshot.pid);
      const mainMs = (mainBeforeMs + mainAfterMs) / 2;
      await first.close();
      const page = await openViewer(stage, { url: 'about:blank' });
      const card = stage.host;
      const peer = await startGstPeer({ card, probe: page.probe, frameMs, bitrateBps, complexity });
      await sound(page);
      const [peerMs = 0] = await perSecond(peer.pid);
      await peer.stop();
      await page.close();
      const idleMs = idle.length === 0 ? (rounds[0]?.idleMs ?? 0) : idle.reduce((a, b) => a + b);
      rounds.push({ idleMs, mainMs, outputMs, extraViewerMs: mainTwoMs - mainMs, peerMs });
      progress(
        `main ${round(mainMs)}, output ${round(outputMs)}, extra viewer ${round(mainTwoMs - mainMs)}, peer ${round(peerMs)} ms/s`,
      );
    }
    return resultOf(rounds);
  } finally {
    await stage.close();
  }
}

function resultOf(rounds: readonly Round[]): BenchResult {
  const middle = (pick: (round: Round) => number): number => round(median(rounds.map(pick)), 2);
  const mainMsPerS = middle(({ mainMs }) => mainMs);
  const outputMsPerS = middle(({ outputMs }) => outputMs);
  const extraViewerMsPerS = middle(({ extraViewerMs }) => extraViewerMs);
  const peerMsPerS = middle(({ peerMs }) => peerMs);
  const idleMsPerS = middle(({ idleMs }) => idleMs);
  const ratio = round((mainMsPerS + outputMsPerS) / peerMsPerS, 3);
  // What the first viewer costs: everything that runs only because somebody listens.
  const firstViewerMsPerS = round(mainMsPerS + outputMsPerS - idleMsPerS, 2);
  const extraViewerShare = round(extraViewerMsPerS / firstViewerMsPerS, 3);
  return {
    fields: {
      mainMsPerS,
      outputMsPerS,
      idleMsPerS,
      firstViewerMsPerS,
      extraViewerMsPerS,
      extraViewerShare,
      peerMsPerS,
      ratio,
      bitrateBps,
      frameMs,
      complexity,
    },
    budgets: [
      { name: 'ratio ((main + output) / peer)', value: ratio, is: 'at most', limit: 1 },
      { name: 'extra viewer / first viewer', value: extraViewerShare, is: 'at most', limit: 0.2 },
    ],
  };
}
