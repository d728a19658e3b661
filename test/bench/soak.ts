import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import type { Card } from '../lab/card-delay.ts';
import { collectedMb, teachToCollect } from '../lab/collected-memory.ts';
import { type EarshotProcess, startEarshot } from '../lab/earshot-process.ts';
import { onFastLane } from '../lab/lanes.ts';
import { MachineLoad } from '../lab/process-usage.ts';
import { RunDelay } from '../lab/run-delay.ts';
import { openSpeakingPage } from '../lab/speaking-page.ts';
import { playTone } from '../lab/steady-tone.ts';
import { ToneListener } from '../lab/tone-listener.ts';
import { watchedToneHz } from '../lab/tone-watch.ts';
import { startVoiceStage, type VoiceStage } from '../lab/voice-stage.ts';
import { type BenchOptions, type BenchResult, round } from './bench.ts';
import { type Cause, causesOf, growth, type Snapshot } from './soak/attribution.ts';
import {
  fastCauses,
  fastStretching,
  inputCauses,
  inputStretching,
  labInterruptions,
  labSlips,
  labStalls,
  labWaits,
  outputCauses,
  outputStretching,
} from './soak/directions.ts';
import { takeSnapshot } from './soak/snapshots.ts';
import { fastFields, inputFields, outputFields } from './soak/summary.ts';

/**
 * Both directions at once, for long: a tone on the host's card and one on the card that is the
 * browser's microphone, a recorder at each end of each way, and every counter there is once a second.
 * Whatever is heard at the end of a way must be told by a counter, or have been heard at its beginning.
 * The host's sound takes the track, or with `--lane fast` the fast lane; then another tab hides the page
 * for a minute of it.
 */

const defaultMinutes = 10;
const everyMs = 1_000;
/** Counters come up to two seconds after what they count. */
const reportedMs = 3_000;
/** When the page is hidden, of a run that is long enough for it. */
const hidden = { fromMs: 60_000, toMs: 120_000 } as const;
/** A level, relative to the usual, below which something is missing. */
const gapLevel = 0.5;

type Way = 'output' | 'input';

interface Listeners {
  readonly from: ToneListener;
  readonly to: ToneListener;
}

/** An interruption that was heard at the end of a way, and what is known of it. */
interface Found {
  readonly way: Way;
  readonly atS: number;
  readonly lengthMs: number;
  readonly degrees: number;
  readonly level: number;
  readonly causes: readonly Cause[];
}

type Memory = Readonly<Record<'mainMB' | 'outputMB' | 'inputMB', number>>;

type Lane = NonNullable<BenchOptions['lane']>;

export async function run(options: BenchOptions): Promise<BenchResult> {
  const { short, minutes, lane = 'track', progress } = options;
  const measureMs = short ? 4_000 : (minutes ?? defaultMinutes) * 60_000;
  const stage = await startVoiceStage({ tabbed: lane === 'fast' });
  try {
    const { earshot, page } = await begin(stage, lane);
    const memory = await watchMemory(earshot);
    await delay(short ? 500 : 20_000);
    const before = await memory();
    // Collecting stops a process for a moment, which is heard.
    await delay(reportedMs);
    const ways = await listen(stage);
    const load = new MachineLoad();
    await load.start();
    const delays = new RunDelay(process.pid);
    const look = (): Promise<Snapshot> => snapshot({ earshot, page, ways, delays });
    const beganMs = performance.now();
    const snapshots: Snapshot[] = [];
    let cover: Page | undefined;
    while (performance.now() - beganMs < measureMs) {
      snapshots.push(await look());
      cover = await hide(stage, cover, performance.now() - beganMs);
      if (snapshots.length % 60 === 0) progress(progressOf(ways, snapshots));
      await delay(everyMs);
    }
    const busy = await load.busy();
    for (const { from, to } of Object.values(ways)) await Promise.all([from.stop(), to.stop()]);
    await delay(reportedMs);
    snapshots.push(await look());
    const found = [
      ...attribute(lane === 'fast' ? 'fast' : 'output', ways.output, snapshots, beganMs),
    ];
    found.push(...attribute('input', ways.input, snapshots, beganMs));
    for (const one of found) progress(sentenceOf(one));
    const after = await memory();
    return resultOf({ lane, snapshots, ways, found, before, after, measureMs, busy });
  } finally {
    await stage.close();
  }
}

async function begin(
  stage: VoiceStage,
  lane: Lane,
): Promise<{ earshot: EarshotProcess; page: Page }> {
  const { host, voice, hostMicrophone } = stage;
  for (const card of [host, voice]) {
    const tone = await playTone(card, watchedToneHz);
    stage.defer(() => tone.stop());
  }
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
  const { browser } = stage;
  const latency = lane === 'fast' ? 'lowest' : 'steady';
  const page = await openSpeakingPage({ browser, earshot, latency });
  if (lane === 'fast') await onFastLane(page);
  return { earshot, page };
}

/** Has another tab in front of the page for a while, in a browser that has tabs; returns it. */
async function hide(
  { browser }: VoiceStage,
  cover: Page | undefined,
  atMs: number,
): Promise<Page | undefined> {
  const isTime = atMs >= hidden.fromMs && atMs < hidden.toMs;
  if (cover === undefined) return isTime && 'cover' in browser ? await browser.cover() : undefined;
  if (isTime) return cover;
  await cover.close();
  return undefined;
}

/** A look at the memory of the three processes, collected first. */
async function watchMemory(earshot: EarshotProcess): Promise<() => Promise<Memory>> {
  const outputPid = (await earshot.child('audio-output')).pid ?? 0;
  const inputPid = (await earshot.child('audio-input')).pid ?? 0;
  for (const pid of [earshot.pid, outputPid, inputPid]) await teachToCollect(pid);
  return async () => ({
    mainMB: await collectedMb(earshot.pid),
    outputMB: await collectedMb(outputPid),
    inputMB: await collectedMb(inputPid),
  });
}

async function listen(stage: VoiceStage): Promise<Record<Way, Listeners>> {
  const start = async (card: Card): Promise<ToneListener> => {
    const listener = new ToneListener(card);
    stage.defer(() => listener.stop());
    await listener.start();
    return listener;
  };
  const desk: Card = { server: stage.voice.server, sink: 'browser' };
  return {
    output: { from: await start(stage.host), to: await start(desk) },
    input: { from: await start(stage.voice), to: await start(stage.hostMicrophone) },
  };
}

async function snapshot(of: {
  readonly earshot: EarshotProcess;
  readonly page: Page;
  readonly ways: Record<Way, Listeners>;
  readonly delays: RunDelay;
}): Promise<Snapshot> {
  const { earshot, page, ways, delays } = of;
  const waitedMs = await delays.waitedMs();
  const { atMs, counters } = await takeSnapshot(earshot, page);
  const lab = Object.entries(ways).flatMap(([way, { from, to }]): [string, number][] => [
    [`${way}.${labInterruptions}`, from.count],
    [`${way}.${labSlips}`, from.slips + to.slips],
    [`${way}.${labStalls}`, from.stalls + to.stalls],
  ]);
  return { atMs, counters: { ...counters, ...Object.fromEntries(lab), [labWaits]: waitedMs } };
}

/** What may explain what is heard. */
const explanations = {
  output: { way: 'output', causes: outputCauses, stretching: outputStretching },
  fast: { way: 'output', causes: fastCauses, stretching: fastStretching },
  input: { way: 'input', causes: inputCauses, stretching: inputStretching },
} as const;

function attribute(
  explained: keyof typeof explanations,
  { to }: Listeners,
  snapshots: readonly Snapshot[],
  beganMs: number,
): Found[] {
  const { way, causes, stretching } = explanations[explained];
  const names = [labInterruptions, labSlips, labStalls].map((name) => `${way}.${name}`);
  names.push(...causes, labWaits);
  return to.heard.map((heard) => ({
    way,
    atS: round((heard.fromMs - beganMs) / 1_000, 2),
    lengthMs: round(heard.toMs - heard.fromMs),
    degrees: round(heard.degrees),
    level: round(heard.level, 2),
    causes: causesOf(heard, snapshots, heard.level < gapLevel ? names : [...names, ...stretching]),
  }));
}

function sentenceOf({ way, atS, lengthMs, degrees, level, causes }: Found): string {
  const why = causes.map(({ counter, by }) => `${counter} +${round(by, 4)}`).join(', ');
  return `${way}: at ${atS} s for ${lengthMs} ms (${degrees} degrees, level ${level}): ${why || 'UNEXPLAINED'}`;
}

function progressOf(ways: Record<Way, Listeners>, snapshots: readonly Snapshot[]): string {
  const { output, input } = ways;
  const { counters = {} } = snapshots.at(-1) ?? {};
  const ms = (name: string): number =>
    round((counters[`earshot_audio_input_${name}_seconds`] ?? 0) * 1_000);
  const ppm = round((counters['earshot_audio_input_drift_ratio'] ?? 0) * 1e6);
  const level = `level ${ms('jitter_buffer_level')} of ${ms('jitter_buffer_target')} ms`;
  return `${snapshots.length} s: heard ${output.to.count} and ${input.to.count}, ${level}, drift ${ppm} ppm`;
}

function resultOf(all: {
  readonly lane: Lane;
  readonly snapshots: readonly Snapshot[];
  readonly ways: Record<Way, Listeners>;
  readonly found: readonly Found[];
  readonly before: Memory;
  readonly after: Memory;
  readonly measureMs: number;
  readonly busy: number;
}): BenchResult {
  const { lane, snapshots, ways, found, before, after, measureMs, busy } = all;
  const output = outputFields(snapshots);
  const fast = lane === 'fast' ? fastFields(snapshots) : undefined;
  const input = inputFields(snapshots);
  const slope = (name: keyof Memory): number =>
    round(((after[name] - before[name]) / measureMs) * 3_600_000, 2);
  const unexplained = found.filter(({ causes }) => causes.length === 0).length;
  const heard = (way: Way): Record<string, number> => ({
    interruptions: ways[way].to.count,
    interruptionsOfTheLab: growth(snapshots, `${way}.${labInterruptions}`),
    recorderSlips: growth(snapshots, `${way}.${labSlips}`),
    machineStalls: growth(snapshots, `${way}.${labStalls}`),
    listenedS: round(ways[way].to.watchedMs / 1_000),
  });
  return {
    fields: {
      minutes: round(measureMs / 60_000, 2),
      xruns: output.xruns + input.xruns,
      lane,
      concealedMs: round((fast ?? output).concealedMs + input.plcMs),
      driftPpm: input.driftPpm,
      levelMinMs: input.levelMinMs,
      levelMaxMs: input.levelMaxMs,
      unexplained,
      output: { ...heard('output'), ...output },
      ...(fast === undefined ? {} : { fast }),
      input: { ...heard('input'), ...input },
      memory: { before: rounded(before), after: rounded(after) },
      memoryMBPerH: {
        mainMB: slope('mainMB'),
        outputMB: slope('outputMB'),
        inputMB: slope('inputMB'),
      },
      found: found.map(sentenceOf),
      soundThreadsWaitedMs: round(growth(snapshots, labWaits)),
      machineBusy: round(busy, 2),
    },
    budgets: [{ name: 'heard and unexplained', value: unexplained, is: 'at most', limit: 0 }],
  };
}

function rounded({ mainMB, outputMB, inputMB }: Memory): Memory {
  return { mainMB: round(mainMB), outputMB: round(outputMB), inputMB: round(inputMB) };
}
