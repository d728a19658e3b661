import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

/** A serial line between two pseudo-terminals. */
export interface PtyPair {
  /** Paths of its two ends; links, as those of /dev/serial/by-id are. */
  readonly device: string;
  readonly host: string;
  /** Both ends hang up and their paths go; resolves when they are gone. Idempotent. */
  unplug(): Promise<void>;
}

/** Makes a line whose ends are `device` and `host` in `directory`. */
export async function plugPtyPair(directory: string): Promise<PtyPair> {
  const device = join(directory, 'device');
  const host = join(directory, 'host');
  const script = new URL('pty-pair.py', import.meta.url).pathname;
  const cable = spawn('python3', [script, device, host], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // It ends with its standard input, and not by a Ctrl-C that is meant for who uses it.
    detached: true,
  });
  const ended = once(cable, 'exit');
  const gone = ended.then(([code]) => Promise.reject(new Error(`pty-pair.py ended with ${code}`)));
  await Promise.race([once(cable.stdout, 'data', { signal: AbortSignal.timeout(10_000) }), gone]);
  gone.catch(() => undefined);
  return {
    device,
    host,
    unplug: async () => {
      cable.stdin.end();
      await ended;
      await Promise.all([device, host].map((path) => rm(path, { force: true })));
    },
  };
}
