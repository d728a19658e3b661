import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyboardReport } from '../../src/control/hid/reports.ts';
import { SocketHost } from '../../src/control/hid/socket-host.ts';
import { silentLog } from '../../src/log/log.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { MachineLoad } from '../lab/process-usage.ts';
import { type Stage, startStage } from '../lab/stage.ts';
import { XClient, type XInput } from '../lab/x-client.ts';
import { XHidHost } from '../lab/x-hid-host.ts';
import { startXScreen } from '../lab/x-screen.ts';
import { type BenchOptions, type BenchResult, median, percentile, round } from './bench.ts';
import { BenchKeyboard, type Carrier } from './hid-latency/bench-keyboard.ts';
import { type GuestFigures, measureGuest } from './hid-latency/guest-keys.ts';

/**
 * From a key in the browser to the window that has the focus on the host: the browser's own time of the event
 * until a program on the host's X display reads its KeyPress, by data channel and by WebSocket in turns, each
 * on a fresh page. `write` is the device's own figure, event to report; `host` is what the virtual host takes
 * of it, from a report to the KeyPress. `guest` is a key on its way to an emulated kernel, with two hops over a
 * serial port that `bare` has too.
 */

const carriers: readonly Carrier[] = ['channel', 'socket'];

interface Plan {
  /** Whether a guest is measured too, where there can be one. */
  readonly guest: boolean;
  readonly rounds: number;
  readonly keys: number;
}

const wholePlan: Plan = { guest: true, rounds: 3, keys: 200 };
const shortPlan: Plan = { guest: false, rounds: 1, keys: 10 };
const deadlineMs = 10_000;

/** Keycode of X for the key that is pressed: A. */
const keycode = 38;
const usage = 0x04;

interface Round {
  readonly delaysMs: readonly number[];
  readonly write: { readonly p50: number; readonly p95: number };
  /** How far the two clocks may be apart, ms. */
  readonly clockErrorMs: number;
}

export async function run({ short, progress }: BenchOptions): Promise<BenchResult> {
  const plan = short ? shortPlan : wholePlan;
  const stage = await startStage();
  try {
    const directory = await mkdtemp(join(tmpdir(), 'earshot-hid-'));
    stage.defer(() => rm(directory, { recursive: true, force: true }));
    const path = join(directory, 'host.sock');
    const screen = await startXScreen();
    stage.defer(() => screen.stop());
    const host = await XHidHost.start({ path, display: screen.display });
    stage.defer(() => host.stop());
    const desk = await XClient.open(screen.display);
    stage.defer(() => desk.close());
    await desk.coverScreen();
    const load = new MachineLoad();
    await load.start();
    const hostMs = await measureHost(path, desk, plan);
    const rounds: Record<Carrier, Round[]> = { channel: [], socket: [] };
    for (let n = 0; n < plan.rounds; n += 1) {
      for (const carrier of carriers) {
        const sample = await measure({ stage, host: `unix:${path}`, desk, carrier, plan });
        rounds[carrier].push(sample);
        progress(`${carrier}: ${round(median(sample.delaysMs))} ms, write ${sample.write.p50} ms`);
      }
    }
    const busy = await load.busy();
    const guest = plan.guest
      ? await measureGuest({
          keys: plan.keys,
          open: (there) => BenchKeyboard.open({ stage, host: there, carrier: 'channel' }),
        })
      : 'left out of a short run';
    return resultOf({ rounds, hostMs, guest, busy });
  } finally {
    await stage.close();
  }
}

/** What the host takes from a report to the KeyPress, ms. */
async function measureHost(path: string, desk: XClient, plan: Plan): Promise<number[]> {
  const device = new SocketHost({ path, log: silentLog });
  await device.start();
  try {
    await waitFor('the host', () => device.state === 'attached');
    const delaysMs: number[] = [];
    for (let n = 0; n < plan.keys; n += 1) {
      const seen = nextPress(desk);
      const startMs = performance.now();
      await device.write('keyboard', keyboardReport(0, [usage]));
      delaysMs.push((await seen) - startMs);
      await device.write('keyboard', keyboardReport(0, []));
    }
    return delaysMs;
  } finally {
    await device.stop();
  }
}

async function measure(options: {
  readonly stage: Stage;
  readonly host: string;
  readonly desk: XClient;
  readonly carrier: Carrier;
  readonly plan: Plan;
}): Promise<Round> {
  const { desk, plan } = options;
  const keyboard = await BenchKeyboard.open(options);
  try {
    const delaysMs: number[] = [];
    for (let n = 0; n < plan.keys; n += 1) {
      delaysMs.push(await keyboard.press(() => nextPress(desk)));
    }
    const { clockErrorMs } = keyboard;
    return { delaysMs, write: await keyboard.written(), clockErrorMs };
  } finally {
    await keyboard.close();
  }
}

/** When the host's window next sees the key, ms of performance.now(). Throws when it does not. */
function nextPress(desk: XClient): Promise<number> {
  return new Promise((resolve, reject) => {
    const over = (end: () => void) => {
      clearTimeout(deadline);
      desk.off('input', look);
      end();
    };
    const deadline = setTimeout(
      () => over(() => reject(new Error('the key did not come to the host'))),
      deadlineMs,
    );
    const look = ({ name, detail, atMs }: XInput) => {
      if (name === 'KeyPress' && detail === keycode) over(() => resolve(atMs));
    };
    desk.on('input', look);
  });
}

function resultOf(found: {
  readonly rounds: Readonly<Record<Carrier, readonly Round[]>>;
  readonly hostMs: readonly number[];
  readonly guest: GuestFigures | string;
  readonly busy: number;
}): BenchResult {
  const { rounds, hostMs, guest, busy } = found;
  const figures = (samples: readonly Round[]) => {
    const p50s = samples.map(({ delaysMs }) => percentile(delaysMs, 0.5));
    return {
      p50Ms: round(median(p50s), 2),
      p95Ms: round(median(samples.map(({ delaysMs }) => percentile(delaysMs, 0.95))), 2),
      rangeMs: [round(Math.min(...p50s), 2), round(Math.max(...p50s), 2)],
      write: {
        p50Ms: median(samples.map(({ write }) => write.p50)),
        p95Ms: median(samples.map(({ write }) => write.p95)),
      },
    };
  };
  const { p50Ms, p95Ms, rangeMs, write } = figures(rounds.channel);
  const errors = [...rounds.channel, ...rounds.socket].map(({ clockErrorMs }) => clockErrorMs);
  return {
    fields: {
      ...{ p50Ms, p95Ms, rangeMs, write },
      socket: figures(rounds.socket),
      host: spread(hostMs),
      guest:
        typeof guest === 'string'
          ? guest
          : { ...spread(guest.delaysMs), bare: spread(guest.guestMs) },
      ...{ clockErrorMs: round(Math.max(...errors), 2), rounds: rounds.channel.length },
      machineBusy: round(busy, 2),
    },
    // One picture at 60 Hz.
    budgets: [{ name: 'key to host, p50 ms', value: p50Ms, is: 'at most', limit: 16.7 }],
  };
}

function spread(delaysMs: readonly number[]) {
  return {
    p50Ms: round(percentile(delaysMs, 0.5), 2),
    p95Ms: round(percentile(delaysMs, 0.95), 2),
  };
}
