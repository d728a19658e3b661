import { setTimeout as delay } from 'node:timers/promises';
import { CardRecorder } from '../lab/card-recorder.ts';
import { startEarshot } from '../lab/earshot-process.ts';
import { openViewer, type Stage, sound, startStage } from '../lab/stage.ts';
import { playTone, silences } from '../lab/steady-tone.ts';
import { type BenchOptions, type BenchResult, median, round } from './bench.ts';

/**
 * How long the viewer hears nothing: after kill -9 of the capturing process until its sound is on the
 * browser's card again, and after the host's sound server is back until its sound is. (The second
 * includes the host's player, which needs some tens of ms to find the server again.)
 */

/** Silence shorter than this is no interruption. */
const shortestMs = 20;

export async function run({ short, progress }: BenchOptions): Promise<BenchResult> {
  // Each kill runs against a fresh Earshot: the second crash within minutes waits longer by design.
  const rounds = short ? 1 : 5;
  const killsMs: number[] = [];
  const replugsMs: number[] = [];
  const stage = await startStage();
  try {
    const tone = await playTone(stage.host);
    stage.defer(() => tone.stop());
    for (let n = 0; n < rounds; n += 1) {
      const { killMs, replugMs } = await measure(stage, { short });
      killsMs.push(killMs);
      replugsMs.push(replugMs);
      progress(`kill ${round(killMs)} ms, replug ${round(replugMs)} ms`);
    }
  } finally {
    await stage.close();
  }
  const killMs = round(median(killsMs));
  const replugMs = round(median(replugsMs));
  return {
    fields: {
      killMs,
      replugMs,
      killWorstMs: round(Math.max(...killsMs)),
      replugWorstMs: round(Math.max(...replugsMs)),
      rounds,
    },
    budgets: [
      { name: 'kill to sound, ms', value: killMs, is: 'at most', limit: 1_500 },
      { name: 'replug to sound, ms', value: replugMs, is: 'at most', limit: 1_000 },
    ],
  };
}

async function measure(
  stage: Stage,
  { short }: { readonly short: boolean },
): Promise<{ killMs: number; replugMs: number }> {
  const earshot = await startEarshot({ card: stage.host });
  try {
    const viewer = await openViewer(stage, { url: earshot.url });
    await sound(viewer);
    await delay(short ? 500 : 3_000);
    const recorder = new CardRecorder(stage.desk.server, stage.desk.sink);
    await recorder.start();
    const killedMs = await earshot.killChild('audio-output');
    const killMs = (await soundAgain(recorder, killedMs)) - killedMs;
    const returnedMs = await restartHost(stage);
    const replugMs = (await soundAgain(recorder, returnedMs)) - returnedMs;
    await recorder.stop();
    await viewer.close();
    return { killMs, replugMs };
  } finally {
    await earshot.stop();
  }
}

/** Takes the host's sound away for a second; returns when it was given back. */
async function restartHost({ host }: Stage): Promise<number> {
  await host.server.kill();
  await delay(1_000);
  await host.server.restart();
  return performance.now();
}

/** When the interruption that was under way at `sinceMs`, or began after it, was over for good: half a second of sound. */
async function soundAgain(recorder: CardRecorder, sinceMs: number): Promise<number> {
  const deadline = performance.now() + 15_000;
  while (performance.now() < deadline) {
    await delay(250);
    const recording = recorder.peek();
    if (recording === undefined) continue;
    const last = silences(recording)
      .filter(({ fromMs, toMs }) => toMs > sinceMs && toMs - fromMs >= shortestMs)
      .at(-1);
    const endMs = recording.startMs + recording.samples.length / recording.channels / 48;
    if (last !== undefined && endMs - last.toMs > 500) return last.toMs;
  }
  throw new Error('the sound did not come back within 15 s');
}
