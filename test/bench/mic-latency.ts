import { setTimeout as delay } from 'node:timers/promises';
import { type PresetName, presetNames } from '../../src/audio/presets.ts';
import { measureCardDelay, playChirps } from '../lab/card-delay.ts';
import { type EarshotProcess, startEarshot } from '../lab/earshot-process.ts';
import { startGstReceiver } from '../lab/gst-peer.ts';
import { PageProbe } from '../lab/page-probe.ts';
import { MachineLoad } from '../lab/process-usage.ts';
import { openSpeakingPage } from '../lab/speaking-page.ts';
import { playTone } from '../lab/steady-tone.ts';
import { ToneListener } from '../lab/tone-listener.ts';
import { watchedToneHz } from '../lab/tone-watch.ts';
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
 * best settings take turns, each with a fresh page and the browser's echo cancellation, as it is by
 * default; figures are medians over the rounds.
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
  /** How long a steady tone is listened to for interruptions. */
  readonly listenMs: number;
}

const wholePlan: Plan = {
  rounds: 3,
  presets: presetNames,
  // Of a dozen settings tried by hand the quickest, and one that plays by the clock, as GStreamer does by default.
  rivals: [
    { latencyMs: 10, bufferMs: 15, periodMs: 5, sync: false },
    { latencyMs: 10, bufferMs: 20, periodMs: 5, sync: false },
    { latencyMs: 20, bufferMs: 20, periodMs: 5, sync: false },
    { latencyMs: 10, bufferMs: 20, periodMs: 5, sync: true },
  ],
  settleMs: 6_000,
  measureMs: 6_000,
  listenMs: 4_000,
};
const shortPlan: Plan = {
  rounds: 1,
  presets: ['ultra'],
  rivals: [{ latencyMs: 20, bufferMs: 20, periodMs: 5, sync: false }],
  settleMs: 500,
  measureMs: 2_200,
  listenMs: 500,
};

/** From the player's start until its tone is surely heard. */
const toneLeadMs = 1_000;

/** A page that nobody serves, from an origin that a browser gives the microphone to. */
const blankUrl = 'http://127.0.0.1/rival';

/** What one page measured. */
interface Sample {
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** Chirps that were spoken and not found on the host's side. */
  readonly missed: number;
  /** Interruptions of a steady tone, heard on the host's side. */
  readonly interruptions: number;
}

interface Figures extends Sample {
  /** Smallest and largest p50 over the rounds. */
  readonly rangeMs: readonly [number, number];
}

export async function run({ short, progress }: BenchOptions): Promise<BenchResult> {
  const plan = short ? shortPlan : wholePlan;
  const stage = await startVoiceStage();
  try {
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
    const { p50Ms, p95Ms, missed, interruptions } = sample;
    progress(
      `${who}: p50 ${round(p50Ms)} ms, p95 ${round(p95Ms)} ms, ${missed} missed, ${interruptions} interruptions`,
    );
  };
  for (const quality of plan.presets) {
    const { browser } = stage;
    const page = await openSpeakingPage({
      browser,
      earshot,
      quality,
      sound: 'echo-cancelled',
      latency: 'steady',
    });
    note(quality, await measure(stage, plan));
    await page.context().close();
  }
  for (const settings of plan.rivals) {
    const page = await stage.browser.newPage();
    const probe = await PageProbe.install(page);
    await page.route(blankUrl, (route) => route.fulfill({ contentType: 'text/html', body: '' }));
    await page.goto(blankUrl);
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
  const { voice, hostMicrophone } = stage;
  const chirps = await playChirps(voice);
  await delay(plan.settleMs);
  const measured = { from: voice, to: hostMicrophone, ms: plan.measureMs };
  const { delaysMs, missed } = await measureCardDelay(measured).finally(() => chirps.stop());
  const [p50Ms, p95Ms] = [percentile(delaysMs, 0.5), percentile(delaysMs, 0.95)];
  return { p50Ms, p95Ms, missed, interruptions: await interruptions(stage, plan) };
}

/** How often a tone breaks off or jumps on its way; what is quick because it crackles does not count. */
async function interruptions({ voice, hostMicrophone }: VoiceStage, plan: Plan): Promise<number> {
  const tone = await playTone(voice, watchedToneHz);
  const listener = new ToneListener(hostMicrophone);
  try {
    // The tone's own beginning is none.
    await delay(toneLeadMs);
    await listener.start();
    await delay(plan.listenMs);
  } finally {
    await listener.stop();
    await tone.stop();
  }
  return listener.heard.length;
}

/** Medians over the rounds; of missed chirps and interruptions the sum. */
function figuresOf(samples: readonly Sample[]): Figures {
  const p50s = samples.map(({ p50Ms }) => p50Ms);
  return {
    p50Ms: round(median(p50s)),
    p95Ms: round(median(samples.map(({ p95Ms }) => p95Ms))),
    rangeMs: [round(Math.min(...p50s)), round(Math.max(...p50s))],
    missed: sum(samples.map(({ missed }) => missed)),
    interruptions: sum(samples.map((sample) => sample.interruptions)),
  };
}

function faults({ missed, interruptions: heard }: Figures): number {
  return missed + heard;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
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
  const cleanest = Math.min(...peers.map(faults));
  const [first, ...others] = peers.filter((peer) => faults(peer) === cleanest);
  if (first === undefined) throw new Error('no rival was measured');
  const peer = others.reduce((best, other) => (other.p50Ms < best.p50Ms ? other : best), first);
  const ratio = round(ultra.p50Ms / peer.p50Ms, 3);
  const budgets: Budget[] = [
    { name: 'ultra: p50, ms', value: ultra.p50Ms, is: 'at most', limit: 80 },
    { name: 'ratio (ultra / peer)', value: ratio, is: 'at most', limit: 0.8 },
    { name: 'ultra: chirps missed, interruptions', value: faults(ultra), is: 'at most', limit: 0 },
  ];
  const { p50Ms, p95Ms } = ultra;
  const fields = {
    ...{ p50Ms, p95Ms, presets, peer, peers, ratio },
    ...{ rounds: plan.rounds, machineBusy: round(busy, 2) },
  };
  return { fields, budgets };
}
