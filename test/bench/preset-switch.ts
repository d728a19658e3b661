import { setTimeout as delay } from 'node:timers/promises';
import { type PresetName, presetNames } from '../../src/audio/presets.ts';
import { seededRandom } from '../lab/chirp.ts';
import { startEarshot } from '../lab/earshot-process.ts';
import type { ReceivedFrame } from '../lab/page-probe.ts';
import { openViewer, sound, startStage } from '../lab/stage.ts';
import { playTone } from '../lab/steady-tone.ts';
import { type BenchOptions, type BenchResult, percentile, round } from './bench.ts';

/**
 * Switches presets while a browser listens, and reads from every packet it received: are sequence
 * numbers consecutive, do timestamps step exactly, how long was the longest wait for a packet. The host
 * plays a steady tone, so that every packet of every preset is sent.
 */

/** Time between two switches, ms: more than one packet of the longest preset, never the same. */
const spacingMs = { least: 100, most: 250 };

export async function run({ short, progress }: BenchOptions): Promise<BenchResult> {
  const switches = short ? 12 : 100;
  const stage = await startStage();
  try {
    const tone = await playTone(stage.host);
    stage.defer(() => tone.stop());
    const earshot = await startEarshot({ card: stage.host });
    stage.defer(() => earshot.stop());
    const viewer = await openViewer(stage, { url: earshot.url, frames: true });
    await sound(viewer);
    await delay(short ? 500 : 3_000);
    const before = await sound(viewer);
    const firstFrame = (await viewer.probe.frames()).length;
    const random = seededRandom(11);
    let quality: PresetName = 'medium';
    let restarts = 0;
    for (let n = 0; n < switches; n += 1) {
      const others = presetNames.filter((name) => name !== quality);
      quality = others[Math.floor(random() * others.length)] ?? 'medium';
      const { applied } = await earshot.setQuality({ quality });
      if (applied !== 'live') restarts += 1;
      await delay(spacingMs.least + random() * (spacingMs.most - spacingMs.least));
      if (n % 20 === 19) progress(`${n + 1} of ${switches}`);
    }
    const after = await sound(viewer);
    const frames = (await viewer.probe.frames()).slice(firstFrame);
    const packetsLost = after.packetsLost - before.packetsLost;
    return resultOf({ switches, restarts, packetsLost, frames });
  } finally {
    await stage.close();
  }
}

function resultOf(found: {
  readonly switches: number;
  readonly restarts: number;
  readonly packetsLost: number;
  readonly frames: readonly ReceivedFrame[];
}): BenchResult {
  const { switches, restarts, packetsLost, frames } = found;
  const steps = stepsOf(frames);
  const maxTimestampError = Math.max(0, ...steps.map(({ timestampError }) => timestampError));
  const sequenceGaps = steps.filter(({ sequence }) => sequence !== 1).length;
  const longest = steps.reduce((most, step) => (step.gapFrames > most.gapFrames ? step : most), {
    gapMs: 0,
    gapFrames: 0,
  });
  const p99GapMs = round(
    percentile(
      steps.map(({ gapMs }) => gapMs),
      0.99,
    ),
  );
  return {
    fields: {
      switches,
      restarts,
      packetsReceived: frames.length,
      packetsLost: packetsLost + sequenceGaps,
      /** In samples at 48 kHz. */
      maxTimestampError,
      /** Beyond the packets' own length. */
      longestGapMs: round(longest.gapMs),
      longestGapFrames: round(longest.gapFrames, 2),
      p99GapMs,
    },
    budgets: [
      { name: 'packets lost', value: packetsLost + sequenceGaps, is: 'at most', limit: 0 },
      { name: 'timestamp error, samples', value: maxTimestampError, is: 'at most', limit: 0 },
      { name: 'longest gap, frames', value: round(longest.gapFrames, 2), is: 'at most', limit: 1 },
    ],
  };
}

interface Step {
  readonly sequence: number;
  readonly timestampError: number;
  /** How much later than its predecessor's length, and the same in frames of the longer of both. */
  readonly gapMs: number;
  readonly gapFrames: number;
}

function stepsOf(frames: readonly ReceivedFrame[]): Step[] {
  return frames.slice(1).map((frame, n) => {
    const before = frames[n] ?? frame;
    const dueMs = frame.samples / 48;
    const gapMs = Math.max(0, frame.arrivalMs - before.arrivalMs - dueMs);
    return {
      sequence: (frame.sequenceNumber - before.sequenceNumber) & 0xffff,
      timestampError: Math.abs(((frame.rtpTimestamp - before.rtpTimestamp) >>> 0) - before.samples),
      gapMs,
      gapFrames: gapMs / (Math.max(frame.samples, before.samples) / 48),
    };
  });
}
