import { setTimeout as delay } from 'node:timers/promises';
import { type PresetName, presetNames } from '../../src/audio/presets.ts';
import { measureCardDelay, playChirps } from '../lab/card-delay.ts';
import { type EarshotProcess, startEarshot } from '../lab/earshot-process.ts';
import { startGstPeer } from '../lab/gst-peer.ts';
import { MachineLoad } from '../lab/process-usage.ts';
import { openViewer, type Stage, sound, startStage, type Viewer } from '../lab/stage.ts';
import {
  type BenchOptions,
  type BenchResult,
  type Budget,
  median,
  percentile,
  round,
} from './bench.ts';

/**
 * From sound card to sound card: the host's card to the card the browser plays into, correlated on
 * chirps. Earshot at each preset and GStreamer's webrtcbin at each frame length take turns, each in a
 * fresh page; figures are medians over the rounds, and the peer's are those of its best frame length.
 */

interface Plan {
  readonly rounds: number;
  readonly peerFramesMs: readonly (5 | 10 | 20)[];
  readonly settleMs: number;
  readonly measureMs: number;
}

const wholePlan: Plan = {
  rounds: 3,
  peerFramesMs: [5, 10, 20],
  settleMs: 3_000,
  measureMs: 10_000,
};
const shortPlan: Plan = { rounds: 1, peerFramesMs: [10], settleMs: 200, measureMs: 2_200 };

/** What one page measured. */
interface Sample {
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** Samples that the browser made up, and its jitter buffer, after the first seconds. */
  readonly concealedSamples: number;
  readonly jitterBufferMs: number;
  readonly missed: number;
}

interface Figures extends Sample {
  /** Smallest and largest p50 over the rounds. */
  readonly rangeMs: readonly [number, number];
}

export async function run({ short, progress }: BenchOptions): Promise<BenchResult> {
  const plan = short ? shortPlan : wholePlan;
  const stage = await startStage();
  try {
    const chirps = await playChirps(stage.host);
    stage.defer(() => chirps.stop());
    const earshot = await startEarshot({ card: stage.host });
    stage.defer(() => earshot.stop());
    const load = new MachineLoad();
    await load.start();
    const samples = await measureAll({ stage, earshot, plan, progress });
    return resultOf(samples, plan, await load.busy());
  } finally {
    await stage.close();
  }
}

type Contestant = PresetName | `peer ${5 | 10 | 20} ms`;

async function measureAll(options: {
  readonly stage: Stage;
  readonly earshot: EarshotProcess;
  readonly plan: Plan;
  readonly progress: (text: string) => void;
}): Promise<ReadonlyMap<Contestant, readonly Sample[]>> {
  const { stage, earshot, plan, progress } = options;
  const samples = new Map<Contestant, Sample[]>();
  const note = (who: Contestant, sample: Sample): void => {
    samples.set(who, [...(samples.get(who) ?? []), sample]);
    progress(`${who}: p50 ${round(sample.p50Ms)} ms, p95 ${round(sample.p95Ms)} ms`);
  };
  for (let n = 0; n < plan.rounds; n += 1) {
    for (const quality of presetNames) {
      await earshot.setQuality({ quality });
      const viewer = await openViewer(stage, { url: earshot.url });
      note(quality, await measure(stage, viewer, plan));
      await viewer.close();
    }
    for (const frameMs of plan.peerFramesMs) {
      const viewer = await openViewer(stage, { url: 'about:blank' });
      const peer = await startGstPeer({ card: stage.host, probe: viewer.probe, frameMs });
      note(`peer ${frameMs} ms`, await measure(stage, viewer, plan));
      await peer.stop();
      await viewer.close();
    }
  }
  return samples;
}

async function measure(stage: Stage, viewer: Viewer, plan: Plan): Promise<Sample> {
  await sound(viewer);
  await delay(plan.settleMs);
  const before = await sound(viewer);
  const { delaysMs, missed } = await measureCardDelay({
    from: stage.host,
    to: stage.desk,
    ms: plan.measureMs,
  });
  const after = await sound(viewer);
  const emitted = after.jitterBufferEmittedCount - before.jitterBufferEmittedCount;
  return {
    p50Ms: percentile(delaysMs, 0.5),
    p95Ms: percentile(delaysMs, 0.95),
    concealedSamples: after.concealedSamples - before.concealedSamples,
    jitterBufferMs: ((after.jitterBufferDelay - before.jitterBufferDelay) / emitted) * 1_000,
    missed,
  };
}

/** Medians over the rounds, of concealment and missed chirps the sum. */
function figuresOf(samples: readonly Sample[]): Figures {
  const middle = (pick: (sample: Sample) => number): number => round(median(samples.map(pick)));
  const sum = (pick: (sample: Sample) => number): number =>
    samples.reduce((total, sample) => total + pick(sample), 0);
  const p50s = samples.map(({ p50Ms }) => p50Ms);
  return {
    p50Ms: middle(({ p50Ms }) => p50Ms),
    p95Ms: middle(({ p95Ms }) => p95Ms),
    rangeMs: [round(Math.min(...p50s)), round(Math.max(...p50s))],
    jitterBufferMs: middle(({ jitterBufferMs }) => jitterBufferMs),
    concealedSamples: sum(({ concealedSamples }) => concealedSamples),
    missed: sum(({ missed }) => missed),
  };
}

function resultOf(
  samples: ReadonlyMap<Contestant, readonly Sample[]>,
  plan: Plan,
  busy: number,
): BenchResult {
  const figures = (who: Contestant): Figures => figuresOf(samples.get(who) ?? []);
  const presets = {
    low: figures('low'),
    medium: figures('medium'),
    high: figures('high'),
    ultra: figures('ultra'),
  };
  const peers = plan.peerFramesMs.map((frameMs) => ({ frameMs, ...figures(`peer ${frameMs} ms`) }));
  const peer = peers.reduce((best, other) => (other.p50Ms < best.p50Ms ? other : best));
  const ratio = round(presets.ultra.p50Ms / peer.p50Ms, 3);
  const budgets: Budget[] = [
    { name: 'ratio (ultra / peer)', value: ratio, is: 'at most', limit: 1 },
    ...presetNames.flatMap((name): Budget[] => [
      {
        name: `${name}: p95 − p50, ms`,
        value: round(presets[name].p95Ms - presets[name].p50Ms),
        is: 'at most',
        limit: 5,
      },
      {
        name: `${name}: concealed samples`,
        value: presets[name].concealedSamples,
        is: 'at most',
        limit: 0,
      },
    ]),
  ];
  const fields = { presets, peer, peers, ratio, rounds: plan.rounds, machineBusy: round(busy, 2) };
  return { fields, budgets };
}
