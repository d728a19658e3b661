import { setTimeout as delay } from 'node:timers/promises';
import { type Status, statusSchema } from '../../api/schema.ts';
import { type Command, type Invocation, print } from '../command.ts';
import {
  audioText,
  childrenText,
  faultRates,
  headline,
  sessionRates,
  sessionsText,
} from '../status-text.ts';

/** Between two looks of `--watch`, in ms. */
const watchMs = 1_000;

/** Cursor to the top left, and everything below it erased (ECMA-48 CUP, ED). */
const redraw = '\u001b[H\u001b[J';

export const statsCommand: Command = {
  words: ['stats'],
  arguments: '',
  minArguments: 0,
  maxArguments: 0,
  summary: 'Show the numbers of the sound, the child processes and each viewer.',
  options: {
    watch: {
      short: 'w',
      summary: 'Again every second, with counts per second, until interrupted.',
    },
  },
  run: async (invocation) => {
    const look = () => invocation.client.get('/api/v1/status', statusSchema);
    let before = await look();
    if (invocation.options['watch'] !== true) {
      print(invocation, before, () => statsText(invocation, before, undefined));
      return;
    }
    while (await pause(invocation)) {
      const now = await look();
      show(invocation, before, now);
      before = now;
    }
  },
};

/** Waits for the next look; false when interrupted. */
async function pause({ io }: Invocation): Promise<boolean> {
  try {
    await delay(watchMs, undefined, io.signal === undefined ? {} : { signal: io.signal });
    return true;
  } catch {
    return false;
  }
}

function show(invocation: Invocation, before: Status, now: Status): void {
  const { io, json } = invocation;
  if (json) {
    const sessions = Object.fromEntries(sessionRates(before, now));
    const line = { ...now, rates: { ...faultRates(before, now), sessions } };
    io.stdout.write(`${JSON.stringify(line)}\n`);
  } else {
    const start = io.stdout.isTTY === true ? redraw : '';
    io.stdout.write(`${start}${statsText(invocation, now, before)}\n`);
  }
}

function statsText({ io }: Invocation, now: Status, before: Status | undefined): string {
  const rates = before === undefined ? undefined : sessionRates(before, now);
  const parts = [headline(now), audioText(now, io), childrenText(now), sessionsText(now, rates)];
  if (before !== undefined) {
    const { xrunsPerS, reopensPerS, droppedFramesPerS } = faultRates(before, now);
    const perS = [
      `${xrunsPerS.toFixed(1)} xruns`,
      `${reopensPerS.toFixed(1)} re-openings`,
      `${droppedFramesPerS.toFixed(1)} dropped frames`,
    ];
    parts.push(`Per second: ${perS.join(', ')}\n`);
  }
  return parts.join('\n');
}
