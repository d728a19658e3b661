import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startEarshot } from '../lab/earshot-process.ts';
import { FlashLab } from '../lab/flash-lab.ts';
import { cpuMs } from '../lab/process-usage.ts';
import { openViewer, startStage } from '../lab/stage.ts';
import { startXScreen } from '../lab/x-screen.ts';
import { type BenchOptions, type BenchResult, median, round } from './bench.ts';

/**
 * What viewers cost: 1, 2, 4 and 8 of them see and hear the host, of whom one is a browser that says how late
 * its picture is and the others receive everything and decode nothing. Processor time of the main process,
 * and of the video child, which encodes once for all.
 */

const framesPerSecond = 30;

interface Row {
  readonly viewers: number;
  readonly mainMsPerS: number;
  readonly videoMsPerS: number;
  readonly p50Ms: number;
}

export async function run({ short, progress }: BenchOptions): Promise<BenchResult> {
  const plan = short
    ? { counts: [1, 2], settleMs: 500, measureMs: 2_000, flashes: 4 }
    : { counts: [1, 2, 4, 8], settleMs: 4_000, measureMs: 10_000, flashes: 30 };
  const stage = await startStage();
  try {
    const screen = await startXScreen();
    stage.defer(() => screen.stop());
    screen.run([
      ...['gst-launch-1.0', '-q', 'videotestsrc', 'pattern=ball', 'is-live=true', '!'],
      ...['video/x-raw,width=320,height=240,framerate=30/1', '!', 'videoconvert', '!'],
      'ximagesink',
    ]);
    const earshot = await startEarshot({
      card: stage.host,
      config: {
        video: { device: `x11:${screen.display}`, encoder: 'vp8', framesPerSecond },
        media: { maxViewers: 16 },
      },
    });
    stage.defer(() => earshot.stop());
    const videoPid = (await earshot.child('video')).pid ?? 0;
    const rows: Row[] = [];
    for (const viewers of plan.counts) {
      const browser = await openViewer(stage, { url: earshot.url });
      const receivers = await startReceivers(earshot.url, viewers - 1);
      const flashes = new FlashLab({ screen, viewer: browser });
      await flashes.start();
      await delay(plan.settleMs);
      const startMs = performance.now();
      const pids = [earshot.pid, videoPid];
      const before = await Promise.all(pids.map(cpuMs));
      await delay(plan.measureMs);
      const after = await Promise.all(pids.map(cpuMs));
      const seconds = (performance.now() - startMs) / 1_000;
      const [main = 0, video = 0] = after.map((ms, n) => (ms - (before[n] ?? 0)) / seconds);
      const p50Ms = round(median(await flashes.measure(plan.flashes)));
      rows.push({ viewers, mainMsPerS: round(main), videoMsPerS: round(video), p50Ms });
      progress(`${viewers} viewers: main ${round(main)}, video ${round(video)} ms/s, ${p50Ms} ms`);
      await endReceivers(receivers);
      await browser.close();
    }
    return resultOf(rows);
  } finally {
    await stage.close();
  }
}

function resultOf(rows: readonly Row[]): BenchResult {
  const [first] = rows;
  const last = rows.at(-1);
  if (first === undefined || last === undefined) throw new Error('nothing was measured');
  const extraViewerMsPerS = (last.mainMsPerS - first.mainMsPerS) / (last.viewers - first.viewers);
  const share = round(extraViewerMsPerS / (first.mainMsPerS + first.videoMsPerS), 3);
  return {
    fields: {
      counts: Object.fromEntries(rows.map(({ viewers, ...figures }) => [viewers, figures])),
      extraViewerMsPerS: round(extraViewerMsPerS),
      extraViewerShare: share,
    },
    budgets: [{ name: 'extra viewer / first viewer', value: share, is: 'at most', limit: 0.2 }],
  };
}

const receiversProgram = fileURLToPath(new URL('./viewers/receivers.ts', import.meta.url));

async function startReceivers(url: string, count: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, [receiversProgram, url, `${count}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const deadline = setTimeout(() => child.kill('SIGKILL'), 60_000);
  try {
    for await (const line of createInterface(child.stdout)) if (line === 'ready') return child;
  } finally {
    clearTimeout(deadline);
  }
  throw new Error('the receiving viewers ended before they had sound');
}

async function endReceivers(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.stdin?.end();
  const deadline = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(deadline);
}
