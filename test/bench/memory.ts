import { setTimeout as delay } from 'node:timers/promises';
import { playChirps } from '../lab/card-delay.ts';
import { startEarshot } from '../lab/earshot-process.ts';
import { residentMb } from '../lab/process-usage.ts';
import { openViewer, sound, startStage } from '../lab/stage.ts';
import { type BenchOptions, type BenchResult, median, round } from './bench.ts';

/**
 * Resident memory of the main process with one viewer and of the capturing process, and how fast both
 * grow together: medians of the first and the last third of the period, extrapolated to an hour. A
 * period of minutes says that nothing leaks fast; `soak` is for the slow.
 */
export async function run({ short, progress }: BenchOptions): Promise<BenchResult> {
  const plan = short
    ? { settleMs: 1_000, periodMs: 6_000 }
    : { settleMs: 60_000, periodMs: 300_000 };
  const stage = await startStage();
  try {
    const chirps = await playChirps(stage.host);
    stage.defer(() => chirps.stop());
    const earshot = await startEarshot({ card: stage.host });
    stage.defer(() => earshot.stop());
    const viewer = await openViewer(stage, { url: earshot.url });
    await sound(viewer);
    const outputPid = (await earshot.child('audio-output')).pid ?? 0;
    await delay(plan.settleMs);
    const samples: Sample[] = [];
    const startMs = performance.now();
    while (performance.now() - startMs < plan.periodMs) {
      const [mainMb, outputMb] = await Promise.all([
        residentMb(earshot.pid),
        residentMb(outputPid),
      ]);
      samples.push({ mainMb, outputMb });
      if (samples.length % 60 === 0)
        progress(`main ${round(mainMb)}, output ${round(outputMb)} MiB`);
      await delay(Math.min(1_000, plan.periodMs / 12));
    }
    return resultOf(samples, plan.periodMs);
  } finally {
    await stage.close();
  }
}

interface Sample {
  readonly mainMb: number;
  readonly outputMb: number;
}

function resultOf(samples: readonly Sample[], periodMs: number): BenchResult {
  const mainMB = round(median(samples.map(({ mainMb }) => mainMb)));
  const outputMB = round(median(samples.map(({ outputMb }) => outputMb)));
  const third = Math.floor(samples.length / 3);
  const total = samples.map(({ mainMb, outputMb }) => mainMb + outputMb);
  const grownMb = median(total.slice(-third)) - median(total.slice(0, third));
  // The middles of the first and the last third are two thirds of the period apart.
  const growthMBPerH = round((grownMb / ((periodMs * 2) / 3)) * 3_600_000, 2);
  return {
    fields: { mainMB, outputMB, growthMBPerH, growthMeasuredOverS: periodMs / 1_000 },
    budgets: [
      { name: 'main, MiB', value: mainMB, is: 'at most', limit: 80 },
      { name: 'output, MiB', value: outputMB, is: 'at most', limit: 50 },
      { name: 'growth, MiB/h', value: growthMBPerH, is: 'at most', limit: 1 },
    ],
  };
}
