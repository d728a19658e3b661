import { setTimeout as delay } from 'node:timers/promises';
import {
  type MicrophoneMetrics,
  microphoneMetricsSchema,
  type Status,
  statusSchema,
} from '../../api/schema.ts';
import { type Command, type Invocation, print } from '../command.ts';
import { fastLanesText } from '../fast-lane-text.ts';
import { microphoneRates, microphoneRatesText, microphoneText } from '../microphone-text.ts';
import {
  audioText,
  childrenText,
  faultRates,
  headline,
  sessionRates,
  sessionsText,
} from '../status-text.ts';
import { videoText } from '../video-text.ts';

/** Between two looks of `--watch`, in ms. */
const watchMs = 1_000;

/** Cursor to the top left, and everything below it erased (ECMA-48 CUP, ED). */
const redraw = '\u001b[H\u001b[J';

/** The status, and the numbers it leaves out. */
interface Look extends Status {
  readonly microphoneMetrics: MicrophoneMetrics;
}

export const statsCommand: Command = {
  words: ['stats'],
  arguments: '',
  minArguments: 0,
  maxArguments: 0,
  summary:
    'Show the numbers of the sound, the microphone, the picture, the child processes and each viewer.',
  options: {
    watch: {
      short: 'w',
      summary: 'Again every second, with counts per second, until interrupted.',
    },
  },
  run: async (invocation) => {
    let before = await look(invocation);
    if (invocation.options['watch'] !== true) {
      print(invocation, before, () => statsText(invocation, before, undefined));
      return;
    }
    while (await pause(invocation)) {
      const now = await look(invocation);
      show(invocation, before, now);
      before = now;
    }
  },
};

async function look({ client }: Invocation): Promise<Look> {
  const status = await client.get('/api/v1/status', statusSchema);
  const path = '/api/v1/microphone/metrics';
  return { ...status, microphoneMetrics: await client.get(path, microphoneMetricsSchema) };
}

/** How the microphone did between two looks; undefined when that is not known. */
function ratesOfMicrophone(before: Look, now: Look) {
  const seconds = (now.uptimeMs - before.uptimeMs) / 1_000;
  return microphoneRates(before.microphoneMetrics.stats, now.microphoneMetrics.stats, seconds);
}

/** Waits for the next look; false when interrupted. */
async function pause({ io }: Invocation): Promise<boolean> {
  try {
    await delay(watchMs, undefined, io.signal === undefined ? {} : { signal: io.signal });
    return true;
  } catch {
    return false;
  }
}

function show(invocation: Invocation, before: Look, now: Look): void {
  const { io, json } = invocation;
  if (json) {
    const sessions = Object.fromEntries(sessionRates(before, now));
    const microphone = ratesOfMicrophone(before, now);
    const line = { ...now, rates: { ...faultRates(before, now), microphone, sessions } };
    io.stdout.write(`${JSON.stringify(line)}\n`);
  } else {
    const start = io.stdout.isTTY === true ? redraw : '';
    io.stdout.write(`${start}${statsText(invocation, now, before)}\n`);
  }
}

function statsText({ io }: Invocation, now: Look, before: Look | undefined): string {
  const rates = before === undefined ? undefined : sessionRates(before, now);
  const parts = [
    headline(now),
    audioText(now, io),
    microphoneText(now.microphone, now.microphoneMetrics, io),
    ...(now.video === null ? [] : [videoText(now.video, io)]),
    childrenText(now),
    sessionsText(now, rates),
  ];
  const fastLanes = fastLanesText(now);
  if (fastLanes !== '') parts.push(fastLanes);
  if (before !== undefined) {
    const { xrunsPerS, reopensPerS, droppedFramesPerS } = faultRates(before, now);
    const perS = [
      `${xrunsPerS.toFixed(1)} xruns`,
      `${reopensPerS.toFixed(1)} re-openings`,
      `${droppedFramesPerS.toFixed(1)} dropped frames`,
    ];
    parts.push(`Per second: ${perS.join(', ')}\n`);
    const microphone = ratesOfMicrophone(before, now);
    if (microphone !== undefined) {
      parts.push(`Microphone per second: ${microphoneRatesText(microphone)}\n`);
    }
  }
  return parts.join('\n');
}
