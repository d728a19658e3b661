import { setTimeout as delay } from 'node:timers/promises';
import { type PresetName, presetNames } from '../../src/audio/presets.ts';
import { measureCardDelay, playChirps } from '../lab/card-delay.ts';
import { type EarshotProcess, startEarshot } from '../lab/earshot-process.ts';
import { startGstReceiver } from '../lab/gst-peer.ts';
import { PageProbe } from '../lab/page-probe.ts';
import { MachineLoad } from '../lab/process-usage.ts';
import { openSpeakingPage } from '../lab/speaking-page.ts';
import { startVoiceStage, type VoiceStage } from '../lab/voice-stage.ts';
import {
  type BenchOptions,
  type BenchResult,
  type Budget,
  median,
  percentile,
  round,
} from './bench.ts';

/**
 * The way back, from sound card to sound card: the card that is the browser's microphone to the card
 * that the host records, correlated on chirps. Earshot at each preset and GStreamer's webrtcbin in its
 * best settings take turns, each with a fresh page and unprocessed sound; figures are medians over the rounds.
 */

/** Jitter buffer and sound card of the rival, ms; and whether it plays by the clock or as packets come. */
interface RivalSettings {
  readonly latencyMs: number;
  readonly bufferMs: number;
  readonly periodMs: number;
  readonly sync: boolean;
}

interface Plan {
  readonly rounds: number;
  readonly presets: readonly PresetName[];
  readonly rivals: readonly RivalSettings[];
  readonly settleMs: number;
  readonly measureMs: number;
}

const wholePlan: Plan = {
  rounds: 3,
  presets: presetNames,
  rivals: [
    { latencyMs: 10, bufferMs: 20, periodMs: 5, sync: true },
    { latencyMs: 20, bufferMs: 20, periodMs: 5, sync: true },
    { latencyMs: 40, bufferMs: 40, periodMs: 10, sync: true },
    { latencyMs: 20, bufferMs: 20, periodMs: 5, sync: false },
  ],
  settleMs: 8_000,
  measureMs: 10_000,
};
const shortPlan: Plan = {
  rounds: 1,
  presets: ['ultra'],
  rivals: [{ latencyMs: 20, bufferMs: 20, periodMs: 5, sync: true }],
  settleMs: 500,
  measureMs: 2_200,
};

/** What one page measured. */
interface Sample {
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** Chirps that were spoken and not found on the host's side. */
  readonly missed: number;
}

interface Figures extends Sample {
  /** Smallest and largest p50 over the rounds. */
  readonly rangeMs: readonly [number, number];
}

export async function run({ short, progress }: BenchOptions): Promise<BenchResult> {
  const plan = short ? shortPlan : wholePlan;
  const stage = await startVoiceStage();
  try {
    const chirps = await playChirps(stage.voice);
    stage.defer(() => chirps.stop());
    const { host, hostMicrophone } = stage;
    const earshot = await startEarshot({
      card: host,
      config: {
        audio: {
          output: { device: host.server.capturePcm(host.sink) },
          input: { device: hostMicrophone.server.feedPcm(hostMicrophone.sink) },
        },
      },
    });
    stage.defer(() => earshot.stop());
    const load = new MachineLoad();
    await load.start();
    const samples = new Map<string, Sample[]>();
    for (let n = 0; n < plan.rounds; n += 1) {
      for (const [who, sample] of await measureAll({ stage, earshot, plan, progress })) {
        samples.set(who, [...(samples.get(who) ?? []), sample]);
      }
    }
    return resultOf(samples, plan, await load.busy());
  } finally {
    await stage.close();
  }
}

function nameOf({ latencyMs, bufferMs, sync }: RivalSettings): string {
  return `webrtcbin ${latencyMs} ms, alsasink ${bufferMs} ms${sync ? '' : ', sync=false'}`;
}

async function measureAll(options: {
  readonly stage: VoiceStage;
  readonly earshot: EarshotProcess;
  readonly plan: Plan;
  readonly progress: (text: string) => void;
}): Promise<Map<string, Sample>> {
  const { stage, earshot, plan, progress } = options;
  const samples = new Map<string, Sample>();
  const note = (who: string, sample: Sample): void => {
    samples.set(who, sample);
    const { p50Ms, p95Ms, missed } = sample;
    progress(`${who}: p50 ${round(p50Ms)} ms, p95 ${round(p95Ms)} ms, ${missed} missed`);
  };
  for (const quality of plan.presets) {
    const page = await openSpeakingPage({ browser: stage.browser, earshot, quality });
    note(quality, await measure(stage, plan));
    await page.context().close();
  }
  for (const settings of plan.rivals) {
    const page = await stage.browser.newPage();
    const probe = await PageProbe.install(page);
    // A page without scripts, from where a browser gives away the microphone.
    await page.goto(`${earshot.url}/metrics`);
    const peer = await startGstReceiver({
      card: stage.hostMicrophone,
      probe,
      frameMs: 10,
      bitrateBps: 96_000,
      ...settings,
    });
    note(nameOf(settings), await measure(stage, plan));
    await peer.stop();
    await page.context().close();
  }
  return samples;
}

async function measure(stage: VoiceStage, plan: Plan): Promise<Sample> {
  await delay(plan.settleMs);
  const { delaysMs, missed } = await measureCardDelay({
    from: stage.voice,
    to: stage.hostMicrophone,
    ms: plan.measureMs,
  });
  return { p50Ms: percentile(delaysMs, 0.5), p95Ms: percentile(delaysMs, 0.95), missed };
}

/** Medians over the rounds; of missed chirps the sum. */
function figuresOf(samples: readonly Sample[]): Figures {
  const p50s = samples.map(({ p50Ms }) => p50Ms);
  return {
    p50Ms: round(median(p50s)),
    p95Ms: round(median(samples.map(({ p95Ms }) => p95Ms))),
    rangeMs: [round(Math.min(...p50s)), round(Math.max(...p50s))],
    missed: samples.reduce((total, { missed }) => total + missed, 0),
  };
}

function resultOf(
  samples: ReadonlyMap<string, readonly Sample[]>,
  plan: Plan,
  busy: number,
): BenchResult {
  const figures = (who: string): Figures => figuresOf(samples.get(who) ?? []);
  const presets = Object.fromEntries(plan.presets.map((name) => [name, figures(name)]));
  const ultra = figures('ultra');
  const peers = plan.rivals.map((settings) => ({
    setting: nameOf(settings),
    ...figures(nameOf(settings)),
  }));
  // A setting that loses sound is fast, and no rival.
  const clean = peers.filter(({ missed }) => missed === 0);
  const [first, ...others] = clean.length > 0 ? clean : peers;
  if (first === undefined) throw new Error('no rival was measured');
  const peer = others.reduce((best, other) => (other.p50Ms < best.p50Ms ? other : best), first);
  const ratio = round(ultra.p50Ms / peer.p50Ms, 3);
  const budgets: Budget[] = [
    { name: 'ultra: p50, ms', value: ultra.p50Ms, is: 'at most', limit: 80 },
    { name: 'ratio (ultra / peer)', value: ratio, is: 'at most', limit: 0.8 },
    { name: 'ultra: chirps missed', value: ultra.missed, is: 'at most', limit: 0 },
  ];
  const { p50Ms, p95Ms } = ultra;
  const fields = {
    ...{ p50Ms, p95Ms, presets, peer, peers, ratio },
    ...{ rounds: plan.rounds, machineBusy: round(busy, 2) },
  };
  return { fields, budgets };
}
