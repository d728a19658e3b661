import { setTimeout as delay } from 'node:timers/promises';
import { playChirps } from '../lab/card-delay.ts';
import { collectedMb, teachToCollect } from '../lab/collected-memory.ts';
import { type EarshotProcess, startEarshot } from '../lab/earshot-process.ts';
import { ownMb, residentMb } from '../lab/process-usage.ts';
import { openSpeakingPage } from '../lab/speaking-page.ts';
import { startVoiceStage } from '../lab/voice-stage.ts';
import { type BenchOptions, type BenchResult, median, round } from './bench.ts';
import { type Line, lineThrough } from './memory/line.ts';

/**
 * Resident memory of the three processes with one viewer whose microphone is on, and how fast each
 * grows: a line through samples each taken right after a collection, since what grows between
 * collections is garbage. The sizes are those before anything was collected for this. `own` is what
 * no other process shares with it: most of a child is Node's binary, which is in memory once.
 */

const names = ['main', 'output', 'input'] as const;
type Name = (typeof names)[number];
type PerProcess<T> = Readonly<Record<Name, T>>;

interface Sizes {
  readonly resident: PerProcess<number>;
  readonly own: PerProcess<number>;
}

interface Series {
  readonly atHours: number[];
  readonly collected: PerProcess<number[]>;
}

export async function run({ short, minutes = 10, progress }: BenchOptions): Promise<BenchResult> {
  const plan = short
    ? { settleMs: 1_000, samples: 5, periodMs: 5_000 }
    : { settleMs: 60_000, samples: Math.max(10, minutes * 6), periodMs: minutes * 60_000 };
  const stage = await startVoiceStage();
  try {
    for (const card of [stage.host, stage.voice]) {
      const chirps = await playChirps(card);
      stage.defer(() => chirps.stop());
    }
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
    await openSpeakingPage({ browser: stage.browser, earshot });
    const pids = await pidsOf(earshot);
    const sizes = await measureSizes(pids, plan.settleMs);
    for (const name of names) await teachToCollect(pids[name]);
    const series = await measureSeries(pids, plan, progress);
    return resultOf(sizes, series, plan.periodMs);
  } finally {
    await stage.close();
  }
}

async function pidsOf(earshot: EarshotProcess): Promise<PerProcess<number>> {
  return {
    main: earshot.pid,
    output: (await earshot.child('audio-output')).pid ?? 0,
    input: (await earshot.child('audio-input')).pid ?? 0,
  };
}

/** Medians over the last half of the time that everything takes to settle. */
async function measureSizes(pids: PerProcess<number>, settleMs: number): Promise<Sizes> {
  await delay(settleMs / 2);
  const looks: Sizes[] = [];
  for (let n = 0; n < 10; n += 1) {
    await delay(settleMs / 20);
    looks.push({
      resident: await each((name) => residentMb(pids[name])),
      own: await each((name) => ownMb(pids[name])),
    });
  }
  const middle = (of: (sizes: Sizes) => number): number => round(median(looks.map(of)));
  return {
    resident: await each((name) => middle(({ resident }) => resident[name])),
    own: await each((name) => middle(({ own }) => own[name])),
  };
}

async function measureSeries(
  pids: PerProcess<number>,
  plan: { readonly samples: number; readonly periodMs: number },
  progress: (text: string) => void,
): Promise<Series> {
  const series: Series = { atHours: [], collected: { main: [], output: [], input: [] } };
  const beganMs = performance.now();
  for (let n = 0; n < plan.samples; n += 1) {
    series.atHours.push((performance.now() - beganMs) / 3_600_000);
    for (const name of names) series.collected[name].push(await collectedMb(pids[name]));
    const last = names.map((name) => `${name} ${round(series.collected[name].at(-1) ?? 0, 2)}`);
    if (n % 6 === 5) progress(`collected: ${last.join(', ')} MiB`);
    await delay(
      Math.max(0, beganMs + ((n + 1) * plan.periodMs) / plan.samples - performance.now()),
    );
  }
  return series;
}

async function each<T>(of: (name: Name) => T | Promise<T>): Promise<PerProcess<T>> {
  return { main: await of('main'), output: await of('output'), input: await of('input') };
}

async function resultOf(sizes: Sizes, series: Series, periodMs: number): Promise<BenchResult> {
  const lines = await each((name) => lineThrough(series.atHours, series.collected[name]));
  const total = lineThrough(
    series.atHours,
    series.atHours.map((_, n) =>
      names.reduce((sum, name) => sum + (series.collected[name][n] ?? 0), 0),
    ),
  );
  const { resident, own } = sizes;
  const growthMBPerH = round(total.slope, 2);
  return {
    fields: {
      mainMB: resident.main,
      outputMB: resident.output,
      inputMB: resident.input,
      ownMB: own,
      collectedMB: await each((name) => round(median(series.collected[name]))),
      growthMBPerH,
      growthErrorMBPerH: round(total.slopeError, 2),
      growth: await each((name) => growthOf(lines[name])),
      growthMeasuredOverS: periodMs / 1_000,
    },
    budgets: [
      { name: 'main, MiB', value: resident.main, is: 'at most', limit: 80 },
      { name: 'output, MiB', value: resident.output, is: 'at most', limit: 50 },
      { name: 'input, MiB', value: resident.input, is: 'at most', limit: 50 },
      { name: 'growth, MiB/h', value: growthMBPerH, is: 'at most', limit: 1 },
    ],
  };
}

function growthOf({ slope, slopeError }: Line): { MBPerH: number; errorMBPerH: number } {
  return { MBPerH: round(slope, 2), errorMBPerH: round(slopeError, 2) };
}
