import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { SoundServer } from '../test/lab/sound-server.ts';

/**
 * What the demo's host does with its microphone: it plays what it records two seconds later, so that
 * whoever speaks into the page hears what the host heard.
 */

export const echoDelayS = 2;

const bytesPerSecond = 48_000 * 2 * 2;

export interface Echo {
  /** Ends it; idempotent. */
  stop(): Promise<void>;
}

/** Records the device `from` of the lab's sound server and plays it into `into`. */
export function startEcho(
  server: SoundServer,
  { from, into }: { readonly from: string; readonly into: string },
): Echo {
  const format = ['--raw', '--format=s16le', '--rate=48000', '--channels=2', '--latency-msec=20'];
  const recorder = launch(server, [
    'parec',
    `--device=${server.sinkName(from)}.monitor`,
    ...format,
  ]);
  const player = launch(server, ['pacat', `--device=${server.sinkName(into)}`, ...format]);
  // What the player has not played yet stays in the pipe: silence first, and the voice is late by as much.
  player.stdin?.on('error', () => undefined);
  player.stdin?.write(Buffer.alloc(echoDelayS * bytesPerSecond));
  if (player.stdin !== null) recorder.stdout?.pipe(player.stdin);
  return {
    async stop() {
      await Promise.all([recorder, player].map(end));
    },
  };
}

function launch(server: SoundServer, argv: readonly string[]): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', 'KILL', ...argv], {
    env: { ...process.env, ...server.env },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
