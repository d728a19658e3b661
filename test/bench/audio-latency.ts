import { setTimeout as delay } from 'node:timers/promises';
import { type PresetName, presetNames } from '../../src/audio/presets.ts';
import { measureCardDelay, playChirps } from '../lab/card-delay.ts';
import { type EarshotProcess, startEarshot } from '../lab/earshot-process.ts';
import { startGstPeer } from '../lab/gst-peer.ts';
import { type LaneNumbers, onFastLane } from '../lab/lanes.ts';
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
 * chirps. Earshot's track at each preset, its fast lane at each preset and GStreamer's webrtcbin at each
 * frame length take turns, each in a fresh page; figures are medians over the rounds, the peer's are those
 * of its best frame length, and the fast lane's those of Ultra.
 */

interface Plan {
  readonly rounds: number;
  readonly fastPresets: readonly PresetName[];
  readonly peerFramesMs: readonly (5 | 10 | 20)[];
  readonly settleMs: number;
  readonly measureMs: number;
}

const wholePlan: Plan = {
  rounds: 3,
  fastPresets: presetNames,
  peerFramesMs: [5, 10, 20],
  settleMs: 3_000,
  measureMs: 10_000,
};
const shortPlan: Plan = {
  rounds: 1,
  fastPresets: ['ultra'],
  peerFramesMs: [10],
  settleMs: 200,
  measureMs: 2_200,
};

/** What one page measured. */
interface Sample {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly missed: number;
}

interface TrackSample extends Sample {
  /** Samples that the browser made up, and its jitter buffer, after the first seconds. */
  readonly concealedSamples: number;
  readonly jitterBufferMs: number;
}

interface FastSample extends Sample {
  /** Sound that was made up and that was missing, ms per minute, after the first seconds. */
  readonly concealedMs: number;
  readonly underrunMs: number;
  /** What the jitter buffer aims at, and what the browser says that its output takes. */
  readonly targetMs: number;
  readonly outputLatencyMs: number;
}

interface Range {
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

type TrackName = PresetName | `peer ${5 | 10 | 20} ms`;

interface Samples {
  readonly tracks: ReadonlyMap<TrackName, readonly TrackSample[]>;
  readonly fast: ReadonlyMap<PresetName, readonly FastSample[]>;
  /** Earshot's own part up to the packet: a stall of the machine can leave a backlog in the sound card. */
  readonly captureWorstMs: number;
}

async function measureAll(options: {
  readonly stage: Stage;
  readonly earshot: EarshotProcess;
  readonly plan: Plan;
  readonly progress: (text: string) => void;
}): Promise<Samples> {
  const { stage, earshot, plan, progress } = options;
  const tracks = new Map<TrackName, TrackSample[]>();
  const fast = new Map<PresetName, FastSample[]>();
  let captureWorstMs = 0;
  const lookAtCapture = async (): Promise<void> => {
    const { latencyMeanMs } = (await earshot.status()).audio;
    captureWorstMs = Math.max(captureWorstMs, latencyMeanMs);
  };
  const noter =
    <K extends string, S extends Sample>(samples: Map<K, S[]>, what: string) =>
    (who: K, sample: S): void => {
      samples.set(who, [...(samples.get(who) ?? []), sample]);
      progress(`${what}${who}: p50 ${round(sample.p50Ms)} ms, p95 ${round(sample.p95Ms)} ms`);
    };
  const noteTrack = noter(tracks, '');
  const noteFast = noter(fast, 'fast, ');
  const { url } = earshot;
  for (let n = 0; n < plan.rounds; n += 1) {
    for (const quality of presetNames) {
      await earshot.setQuality({ quality });
      const viewer = await openViewer(stage, { url, latency: 'steady' });
      noteTrack(quality, await measureTrack(stage, viewer, plan));
      await lookAtCapture();
      await viewer.close();
    }
    for (const quality of plan.fastPresets) {
      await earshot.setQuality({ quality });
      const viewer = await openViewer(stage, { url, latency: 'lowest' });
      noteFast(quality, await measureFast(stage, viewer, plan));
      await lookAtCapture();
      await viewer.close();
    }
    for (const frameMs of plan.peerFramesMs) {
      const viewer = await openViewer(stage, { url: 'about:blank' });
      const peer = await startGstPeer({ card: stage.host, probe: viewer.probe, frameMs });
      noteTrack(`peer ${frameMs} ms`, await measureTrack(stage, viewer, plan));
      await peer.stop();
      await viewer.close();
    }
  }
  return { tracks, fast, captureWorstMs };
}

async function measureTrack(stage: Stage, viewer: Viewer, plan: Plan): Promise<TrackSample> {
  await sound(viewer);
  await delay(plan.settleMs);
  const before = await sound(viewer);
  const delays = await measureDelays(stage, plan);
  const after = await sound(viewer);
  const emitted = after.jitterBufferEmittedCount - before.jitterBufferEmittedCount;
  return {
    ...delays,
    concealedSamples: after.concealedSamples - before.concealedSamples,
    jitterBufferMs: ((after.jitterBufferDelay - before.jitterBufferDelay) / emitted) * 1_000,
  };
}

async function measureFast(stage: Stage, { page }: Viewer, plan: Plan): Promise<FastSample> {
  await onFastLane(page);
  await delay(plan.settleMs);
  const before = await onFastLane(page);
  const delays = await measureDelays(stage, plan);
  const after = await onFastLane(page);
  const perMinute = (name: keyof Pick<LaneNumbers, 'concealedMs' | 'underrunMs'>): number =>
    ((after[name] - before[name]) / (after.atMs - before.atMs)) * 60_000;
  return {
    ...delays,
    concealedMs: perMinute('concealedMs'),
    underrunMs: perMinute('underrunMs'),
    targetMs: after.targetMs,
    outputLatencyMs: after.outputLatencyMs,
  };
}

async function measureDelays({ host, desk }: Stage, { measureMs }: Plan): Promise<Sample> {
  const { delaysMs, missed } = await measureCardDelay({ from: host, to: desk, ms: measureMs });
  return { p50Ms: percentile(delaysMs, 0.5), p95Ms: percentile(delaysMs, 0.95), missed };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Medians over the rounds, of missed chirps the sum. */
function delayFigures(samples: readonly Sample[]): Sample & Range {
  const p50s = samples.map(({ p50Ms }) => p50Ms);
  return {
    p50Ms: round(median(p50s)),
    p95Ms: round(median(samples.map(({ p95Ms }) => p95Ms))),
    rangeMs: [round(Math.min(...p50s)), round(Math.max(...p50s))],
    missed: sum(samples.map(({ missed }) => missed)),
  };
}

function trackFigures(samples: readonly TrackSample[]): TrackSample & Range {
  return {
    ...delayFigures(samples),
    jitterBufferMs: round(median(samples.map(({ jitterBufferMs }) => jitterBufferMs))),
    concealedSamples: sum(samples.map(({ concealedSamples }) => concealedSamples)),
  };
}

/** Of what is per minute the mean: rounds are equally long. */
function fastFigures(samples: readonly FastSample[]): FastSample & Range {
  const mean = (values: readonly number[]): number => round(sum(values) / values.length, 2);
  return {
    ...delayFigures(samples),
    concealedMs: mean(samples.map(({ concealedMs }) => concealedMs)),
    underrunMs: mean(samples.map(({ underrunMs }) => underrunMs)),
    targetMs: round(median(samples.map(({ targetMs }) => targetMs))),
    outputLatencyMs: round(median(samples.map(({ outputLatencyMs }) => outputLatencyMs))),
  };
}

function resultOf(
  { tracks, fast, captureWorstMs }: Samples,
  plan: Plan,
  busy: number,
): BenchResult {
  const track = (who: TrackName): TrackSample & Range => trackFigures(tracks.get(who) ?? []);
  const presets = {
    low: track('low'),
    medium: track('medium'),
    high: track('high'),
    ultra: track('ultra'),
  };
  const peers = plan.peerFramesMs.map((frameMs) => ({ frameMs, ...track(`peer ${frameMs} ms`) }));
  const peer = peers.reduce((best, other) => (other.p50Ms < best.p50Ms ? other : best));
  const ratio = round(presets.ultra.p50Ms / peer.p50Ms, 3);
  const fastLane = fastFigures(fast.get('ultra') ?? []);
  const fastPresets = Object.fromEntries(
    plan.fastPresets.map((name) => [name, fastFigures(fast.get(name) ?? [])]),
  );
  const fastRatio = round(fastLane.p50Ms / peer.p50Ms, 3);
  const fields = {
    ...{ presets, fast: fastLane, fastPresets, peer, peers, ratio, fastRatio },
    ...{ captureWorstMs: round(captureWorstMs), rounds: plan.rounds, machineBusy: round(busy, 2) },
  };
  return { fields, budgets: budgetsOf({ presets, ratio, fast: fastLane, fastRatio }) };
}

function budgetsOf(figures: {
  readonly presets: Readonly<Record<PresetName, TrackSample>>;
  readonly ratio: number;
  readonly fast: FastSample;
  readonly fastRatio: number;
}): Budget[] {
  const { presets, ratio, fast, fastRatio } = figures;
  const spread = ({ p50Ms, p95Ms }: Sample): number => round(p95Ms - p50Ms);
  return [
    { name: 'ratio (ultra / peer)', value: ratio, is: 'at most', limit: 1 },
    ...presetNames.flatMap((name): Budget[] => [
      { name: `${name}: p95 − p50, ms`, value: spread(presets[name]), is: 'at most', limit: 5 },
      {
        name: `${name}: concealed samples`,
        value: presets[name].concealedSamples,
        is: 'at most',
        limit: 0,
      },
    ]),
    { name: 'fast: p50, ms', value: fast.p50Ms, is: 'at most', limit: 50 },
    { name: 'fast ratio (fast / peer)', value: fastRatio, is: 'at most', limit: 0.62 },
    { name: 'fast: p95 − p50, ms', value: spread(fast), is: 'at most', limit: 5 },
    { name: 'fast: underrun, ms a minute', value: fast.underrunMs, is: 'at most', limit: 1 },
  ];
}
