import { setTimeout as delay } from 'node:timers/promises';
import { outputPresets } from '../../src/audio/presets.ts';
import { playChirps } from '../lab/card-delay.ts';
import { startEarshot } from '../lab/earshot-process.ts';
import { startGstPeer } from '../lab/gst-peer.ts';
import { onFastLane } from '../lab/lanes.ts';
import { cpuMs, treeCpuMs } from '../lab/process-usage.ts';
import { openSpeakingPage } from '../lab/speaking-page.ts';
import { openViewer, sound } from '../lab/stage.ts';
import { startVoiceStage } from '../lab/voice-stage.ts';
import { type BenchOptions, type BenchResult, median, round } from './bench.ts';

/**
 * Processor time per second of sound, at the preset High (128 kbps, 10 ms) and the peer at the same
 * bitrate, frame length and encoder complexity. Earshot with one viewer on the track, with two, with one on
 * the fast lane, with one who speaks, and the peer take turns. What the microphone costs is reported apart:
 * the peer does not receive. So is what the browser costs, its every process together, page and all, with
 * the sound on either lane; beside the fast lane the track runs on, muted.
 */

const { bitrateBps, complexity } = outputPresets.high;
const frameMs = outputPresets.high.frameMs;

interface Round {
  readonly idleMs: number;
  readonly mainMs: number;
  readonly outputMs: number;
  readonly extraViewerMs: number;
  readonly mainFastMs: number;
  readonly browserTrackMs: number;
  readonly browserFastMs: number;
  readonly inputMs: number;
  readonly mainSpeakingMs: number;
  readonly peerMs: number;
}

export async function run({ short, progress }: BenchOptions): Promise<BenchResult> {
  const plan = short
    ? { rounds: 1, settleMs: 500, measureMs: 2_000 }
    : { rounds: 3, settleMs: 3_000, measureMs: 10_000 };
  const stage = await startVoiceStage();
  try {
    const chirps = await playChirps(stage.host);
    stage.defer(() => chirps.stop());
    const voice = await playChirps(stage.voice);
    stage.defer(() => voice.stop());
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
    await earshot.setQuality({ quality: 'high' });
    const outputPid = (await earshot.child('audio-output')).pid ?? 0;
    const inputPid = (await earshot.child('audio-input')).pid ?? 0;

    /** CPU time per second of what each of `looks` gives the total of, ms. */
    const ratesOf = async (...looks: (() => Promise<number>)[]): Promise<number[]> => {
      await delay(plan.settleMs);
      const startMs = performance.now();
      const before = await Promise.all(looks.map((look) => look()));
      await delay(plan.measureMs);
      const after = await Promise.all(looks.map((look) => look()));
      const seconds = (performance.now() - startMs) / 1_000;
      return after.map((ms, n) => (ms - (before[n] ?? 0)) / seconds);
    };
    const perSecond = (...pids: number[]): Promise<number[]> =>
      ratesOf(...pids.map((pid) => () => cpuMs(pid)));
    const main = (): Promise<number> => cpuMs(earshot.pid);
    const browser = (): Promise<number> => treeCpuMs(process.pid, 'chromium');

    const rounds: Round[] = [];
    for (let n = 0; n < plan.rounds; n += 1) {
      const idle = n === 0 ? await perSecond(earshot.pid, outputPid) : [];
      const first = await openViewer(stage, { url: earshot.url, latency: 'steady' });
      await sound(first);
      const [mainBeforeMs = 0, outputMs = 0] = await perSecond(earshot.pid, outputPid);
      const second = await openViewer(stage, { url: earshot.url });
      await sound(second);
      const [mainTwoMs = 0] = await perSecond(earshot.pid);
      await second.close();
      // One viewer again: what else the machine does weighs on both sides of the difference alike.
      const [mainAfterMs = 0, browserTrackMs = 0] = await ratesOf(main, browser);
      const mainMs = (mainBeforeMs + mainAfterMs) / 2;
      await first.close();
      const quick = await openViewer(stage, { url: earshot.url, latency: 'lowest' });
      await onFastLane(quick.page);
      const [mainFastMs = 0, browserFastMs = 0] = await ratesOf(main, browser);
      await quick.close();
      const speaker = await openSpeakingPage({
        ...{ browser: stage.browser, earshot },
        ...{ quality: 'high', latency: 'steady' },
      });
      const [mainSpeakingMs = 0, inputMs = 0] = await perSecond(earshot.pid, inputPid);
      await speaker.context().close();
      const page = await openViewer(stage, { url: 'about:blank' });
      const peer = await startGstPeer({
        ...{ card: host, probe: page.probe },
        ...{ frameMs, bitrateBps, complexity },
      });
      await sound(page);
      const [peerMs = 0] = await perSecond(peer.pid);
      await peer.stop();
      await page.close();
      const idleMs = idle.length === 0 ? (rounds[0]?.idleMs ?? 0) : idle.reduce((a, b) => a + b);
      rounds.push({
        ...{ idleMs, mainMs, outputMs, extraViewerMs: mainTwoMs - mainMs },
        ...{ mainFastMs, browserTrackMs, browserFastMs, inputMs, mainSpeakingMs, peerMs },
      });
      progress(
        `main ${round(mainMs)}, output ${round(outputMs)}, extra viewer ${round(mainTwoMs - mainMs)}, input ${round(inputMs)}, main speaking ${round(mainSpeakingMs)}, peer ${round(peerMs)} ms/s`,
      );
      progress(
        `fast lane: main ${round(mainFastMs)}; browser ${round(browserTrackMs)} on the track, ${round(browserFastMs)} on the fast lane, ms/s`,
      );
    }
    return resultOf(rounds);
  } finally {
    await stage.close();
  }
}

function resultOf(rounds: readonly Round[]): BenchResult {
  const middle = (pick: (round: Round) => number): number => round(median(rounds.map(pick)), 2);
  const mainMsPerS = middle(({ mainMs }) => mainMs);
  const outputMsPerS = middle(({ outputMs }) => outputMs);
  const extraViewerMsPerS = middle(({ extraViewerMs }) => extraViewerMs);
  const inputMsPerS = middle(({ inputMs }) => inputMs);
  // Both with one viewer, so that what is left is what the microphone's packets cost on their way.
  const mainForInputMsPerS = middle(({ mainMs, mainSpeakingMs }) => mainSpeakingMs - mainMs);
  const mainFastMsPerS = middle(({ mainFastMs }) => mainFastMs);
  const browserMsPerS = {
    track: middle(({ browserTrackMs }) => browserTrackMs),
    fast: middle(({ browserFastMs }) => browserFastMs),
  };
  const peerMsPerS = middle(({ peerMs }) => peerMs);
  const idleMsPerS = middle(({ idleMs }) => idleMs);
  const ratio = round((mainMsPerS + outputMsPerS) / peerMsPerS, 3);
  // What the first viewer costs: everything that runs only because somebody listens.
  const firstViewerMsPerS = round(mainMsPerS + outputMsPerS - idleMsPerS, 2);
  const extraViewerShare = round(extraViewerMsPerS / firstViewerMsPerS, 3);
  return {
    fields: {
      mainMsPerS,
      outputMsPerS,
      idleMsPerS,
      firstViewerMsPerS,
      extraViewerMsPerS,
      extraViewerShare,
      inputMsPerS,
      mainForInputMsPerS,
      mainFastMsPerS,
      browserMsPerS,
      peerMsPerS,
      ratio,
      bitrateBps,
      frameMs,
      complexity,
    },
    budgets: [
      { name: 'ratio ((main + output) / peer)', value: ratio, is: 'at most', limit: 1 },
      { name: 'extra viewer / first viewer', value: extraViewerShare, is: 'at most', limit: 0.2 },
    ],
  };
}
