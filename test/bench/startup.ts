import { setTimeout as delay } from 'node:timers/promises';
import { spawnEarshot } from '../lab/earshot-process.ts';
import { connectNodeViewer } from '../lab/node-viewer.ts';
import { startSoundServer } from '../lab/sound-server.ts';
import { type BenchOptions, type BenchResult, median, round } from './bench.ts';

/**
 * From the start of the process: until it listens, until the sound device is open, and until the first
 * Opus packet has reached a viewer who connects as soon as it listens (nothing is encoded before
 * somebody does, so this includes the viewer's ICE and DTLS).
 */
export async function run({ short, progress }: BenchOptions): Promise<BenchResult> {
  const rounds = short ? 2 : 10;
  const server = await startSoundServer({ sinks: [{ name: 'hdmi' }] });
  const listens: number[] = [];
  const opens: number[] = [];
  const firstFrames: number[] = [];
  try {
    for (let n = 0; n < rounds; n += 1) {
      const earshot = await spawnEarshot({ card: { server, sink: 'hdmi' } });
      try {
        const listening = await earshot.listening();
        const viewer = await connectNodeViewer(earshot);
        await viewer.close();
        const opened = await earshot.logged(({ msg }) => msg === 'device opened');
        listens.push(listening.atMs - earshot.spawnedMs);
        opens.push(opened.atMs - earshot.spawnedMs);
        firstFrames.push(viewer.firstPacketMs - earshot.spawnedMs);
      } finally {
        await earshot.stop();
      }
      progress(
        `listens after ${round(listens.at(-1) ?? 0)} ms, first packet after ${round(firstFrames.at(-1) ?? 0)} ms`,
      );
      await delay(100);
    }
  } finally {
    await server.stop();
  }
  const listenMs = round(median(listens));
  const firstFrameMs = round(median(firstFrames));
  return {
    fields: {
      listenMs,
      deviceOpenMs: round(median(opens)),
      firstFrameMs,
      listenWorstMs: round(Math.max(...listens)),
      firstFrameWorstMs: round(Math.max(...firstFrames)),
      rounds,
    },
    budgets: [
      { name: 'start to listening, ms', value: listenMs, is: 'at most', limit: 400 },
      { name: 'start to first frame, ms', value: firstFrameMs, is: 'at most', limit: 800 },
    ],
  };
}
