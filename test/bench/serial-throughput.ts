import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { consoleProtocol } from '../../src/control/serial/console-messages.ts';
import { type EarshotProcess, startEarshot } from '../lab/earshot-process.ts';
import { MachineLoad } from '../lab/process-usage.ts';
import { PtySource } from '../lab/pty-source.ts';
import { startSoundServer } from '../lab/sound-server.ts';
import { type BenchOptions, type BenchResult, median, round } from './bench.ts';

/**
 * What a host that talks as fast as it is read gets through: its serial line by Earshot's console to a
 * WebSocket, beside the same line read by a program that throws the bytes away. The two take turns. No UART is
 * nearly as fast; a USB gadget's serial port is.
 */

interface Plan {
  readonly rounds: number;
  readonly bytes: number;
}

const wholePlan: Plan = { rounds: 5, bytes: 64 * 1024 * 1024 };
const shortPlan: Plan = { rounds: 1, bytes: 1024 * 1024 };
const deadlineMs = 120_000;

/** One way of reading it. */
interface Sample {
  readonly mbPerS: number;
  /** Bytes that a reader which is slower than the line missed, of all. */
  readonly missedShare: number;
}

export async function run({ short, progress }: BenchOptions): Promise<BenchResult> {
  const plan = short ? shortPlan : wholePlan;
  const directory = await mkdtemp(join(tmpdir(), 'earshot-serial-'));
  const stops: (() => Promise<void>)[] = [() => rm(directory, { recursive: true, force: true })];
  try {
    const server = await startSoundServer({ sinks: [{ name: 'hdmi' }] });
    stops.push(() => server.stop());
    const ours = await PtySource.start(join(directory, 'console'));
    stops.push(() => ours.close());
    const bare = await PtySource.start(join(directory, 'bare'));
    stops.push(() => bare.close());
    const earshot = await startEarshot({
      card: { server, sink: 'hdmi' },
      config: { serial: { port: ours.path } },
    });
    stops.push(() => earshot.stop());
    const load = new MachineLoad();
    await load.start();
    const console: Sample[] = [];
    const floor: number[] = [];
    for (let n = 0; n < plan.rounds; n += 1) {
      console.push(await readByConsole(earshot, ours, plan.bytes));
      floor.push(await readBare(bare, plan.bytes));
      progress(`console ${console.at(-1)?.mbPerS} MB/s, bare ${round(floor.at(-1) ?? 0)} MB/s`);
    }
    return resultOf(console, floor, await load.busy());
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

/** A console that reads all it is given, until every byte came or was missed. */
async function readByConsole(
  earshot: EarshotProcess,
  source: PtySource,
  bytes: number,
): Promise<Sample> {
  const url = `${earshot.url.replace(/^http/, 'ws')}/api/v1/serial/console`;
  const socket = new WebSocket(url, consoleProtocol);
  const got = { bytes: 0, missed: 0 };
  let scrollback: number | undefined;
  let whole: () => void = () => undefined;
  const arrived = new Promise<void>((resolve) => {
    whole = resolve;
  });
  const begun = new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary && (scrollback ?? 0) > 0) scrollback = (scrollback ?? 0) - data.length;
      else if (isBinary) got.bytes += data.length;
      else {
        const message: Record<string, unknown> = JSON.parse(data.toString());
        if (message['type'] === 'hello') scrollback = Number(message['scrollbackBytes']);
        if (message['type'] === 'missed') got.missed += Number(message['bytes']);
      }
      if (scrollback === 0) resolve();
      if (got.bytes + got.missed >= bytes) whole();
    });
  });
  const late = AbortSignal.timeout(deadlineMs);
  await begun;
  const startMs = performance.now();
  const sent = source.send(bytes, deadlineMs);
  await Promise.race([
    Promise.all([sent, arrived]),
    once(late, 'abort').then(() => {
      throw new Error(`${got.bytes} bytes came and ${got.missed} were missed, of ${bytes}`);
    }),
  ]);
  const seconds = (performance.now() - startMs) / 1_000;
  socket.terminate();
  return {
    mbPerS: round(got.bytes / seconds / 1e6, 2),
    missedShare: round(got.missed / bytes, 4),
  };
}

/** MB/s of a program that reads so many bytes and ends. */
async function readBare(source: PtySource, bytes: number): Promise<number> {
  const reader = spawn('head', ['-c', String(bytes), source.path], {
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: deadlineMs,
  });
  const ended = once(reader, 'exit');
  await once(reader, 'spawn');
  const startMs = performance.now();
  await source.send(bytes, deadlineMs);
  await ended;
  return bytes / (performance.now() - startMs) / 1e3;
}

function resultOf(samples: readonly Sample[], floor: readonly number[], busy: number): BenchResult {
  const rates = samples.map(({ mbPerS }) => mbPerS);
  const mbPerS = round(median(rates), 2);
  const bareMbPerS = round(median(floor), 2);
  return {
    fields: {
      mbPerS,
      rangeMbPerS: [Math.min(...rates), Math.max(...rates)],
      missedShare: median(samples.map(({ missedShare }) => missedShare)),
      bareMbPerS,
      ratio: round(mbPerS / bareMbPerS, 3),
      rounds: samples.length,
      machineBusy: round(busy, 2),
    },
    // 921,600 baud, the fastest usual UART, is 0.09 MB/s.
    budgets: [{ name: 'console, MB/s', value: mbPerS, is: 'at least', limit: 1 }],
  };
}
