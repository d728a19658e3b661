import { setTimeout as delay } from 'node:timers/promises';
import { startEarshot } from '../lab/earshot-process.ts';
import { startGstScreenPeer } from '../lab/gst-peer.ts';
import { cpuMs } from '../lab/process-usage.ts';
import { openViewer, startStage, type Viewer } from '../lab/stage.ts';
import { startXScreen } from '../lab/x-screen.ts';
import { type BenchOptions, type BenchResult, median, round } from './bench.ts';

/**
 * Processor time per second of picture: a 720p screen on which something moves, VP8 at 30 pictures a second
 * and the same encoder settings, one viewer. Earshot's main process and its video child, the sound's share
 * taken off, and GStreamer's webrtcbin take turns.
 */

const framesPerSecond = 30;
const bitrateKbps = 1_800;

export async function run({ short, progress }: BenchOptions): Promise<BenchResult> {
  const plan = short
    ? { rounds: 1, settleMs: 500, measureMs: 2_000 }
    : { rounds: 3, settleMs: 4_000, measureMs: 10_000 };
  const stage = await startStage();
  try {
    const screen = await startXScreen();
    stage.defer(() => screen.stop());
    screen.run([
      ...['gst-launch-1.0', '-q', 'videotestsrc', 'pattern=ball', 'is-live=true', '!'],
      ...['video/x-raw,width=640,height=480,framerate=30/1', '!', 'videoconvert', '!'],
      'ximagesink',
    ]);
    const video = { device: `x11:${screen.display}`, encoder: 'vp8', framesPerSecond };
    const seeing = await startEarshot({ card: stage.host, config: { video } });
    stage.defer(() => seeing.stop());
    const hearing = await startEarshot({ card: stage.host });
    stage.defer(() => hearing.stop());
    const videoPid = (await seeing.child('video')).pid ?? 0;

    const perSecond = async (...pids: number[]): Promise<number[]> => {
      await delay(plan.settleMs);
      const startMs = performance.now();
      const before = await Promise.all(pids.map(cpuMs));
      await delay(plan.measureMs);
      const after = await Promise.all(pids.map(cpuMs));
      const seconds = (performance.now() - startMs) / 1_000;
      return after.map((ms, n) => (ms - (before[n] ?? 0)) / seconds);
    };

    const rounds: Readonly<Record<'main' | 'sound' | 'video' | 'peer', number>>[] = [];
    for (let n = 0; n < plan.rounds; n += 1) {
      const viewer = await openViewer(stage, { url: seeing.url });
      await picture(viewer);
      const [main = 0, video = 0] = await perSecond(seeing.pid, videoPid);
      await viewer.close();
      const listener = await openViewer(stage, { url: hearing.url });
      const [sound = 0] = await perSecond(hearing.pid);
      await listener.close();
      const blank = await openViewer(stage, { url: 'about:blank' });
      const rival = await startGstScreenPeer({
        ...{ display: screen.display, probe: blank.probe },
        ...{ framesPerSecond, bitrateKbps },
      });
      await picture(blank);
      const [peer = 0] = await perSecond(rival.pid);
      await rival.stop();
      await blank.close();
      rounds.push({ main, sound, video, peer });
      progress(
        `main ${round(main)} (sound alone ${round(sound)}), video ${round(video)}, peer ${round(peer)} ms/s`,
      );
    }
    const middle = (name: 'main' | 'sound' | 'video' | 'peer'): number =>
      round(median(rounds.map((one) => one[name])), 1);
    const [mainMsPerS, soundMsPerS] = [middle('main'), middle('sound')];
    const [videoMsPerS, peerMsPerS] = [middle('video'), middle('peer')];
    const ratio = round((mainMsPerS - soundMsPerS + videoMsPerS) / peerMsPerS, 3);
    return {
      fields: {
        ...{ mainMsPerS, soundMsPerS, videoMsPerS, peerMsPerS, ratio },
        ...{ framesPerSecond, bitrateKbps, rounds: plan.rounds },
      },
      budgets: [
        {
          name: 'ratio ((main − sound + video) / peer)',
          value: ratio,
          is: 'at most',
          limit: 1,
        },
      ],
    };
  } finally {
    await stage.close();
  }
}

/** Waits until the page decodes pictures. */
async function picture({ page, probe }: Viewer): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (((await probe.inboundVideo())?.framesDecoded ?? 0) < 10) {
    if (performance.now() > deadline) throw new Error('no picture within 20 s');
    await page.waitForTimeout(50);
  }
}
