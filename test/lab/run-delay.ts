import { readdir, readFile } from 'node:fs/promises';
import { descendants } from './process-usage.ts';

/**
 * How long the threads of the lab that carry sound had to wait for a processor (proc_pid_schedstat, second
 * number). What a sound server or a browser plays too late is counted nowhere else.
 */
export class RunDelay {
  readonly #rootPid: number;
  #threads: readonly string[] = [];
  #calls = 0;
  #before = new Map<string, number>();
  #totalMs = 0;

  /** Looks at the processes that `rootPid` started, and those that they started. */
  constructor(rootPid: number) {
    this.#rootPid = rootPid;
  }

  /**
   * Sum of the longest wait of one thread between two calls, in ms, of those that a card's buffer does not
   * cover. Threads that are new are found a little later.
   */
  async waitedMs(): Promise<number> {
    // To look for them costs more than to look at them.
    if (this.#calls % searchEvery === 0) this.#threads = await soundThreads(this.#rootPid);
    this.#calls += 1;
    const now = new Map<string, number>();
    let longestMs = 0;
    for (const thread of this.#threads) {
      const [, waitedNs = '0'] = (await read(`${thread}/schedstat`)).split(' ');
      const ms = Number(waitedNs) / 1e6;
      now.set(thread, ms);
      longestMs = Math.max(longestMs, ms - (this.#before.get(thread) ?? ms));
    }
    this.#before = now;
    if (longestMs >= coveredMs) this.#totalMs += longestMs;
    return this.#totalMs;
  }
}

/** What a card's buffer covers of a wait. */
const coveredMs = 10;

const searchEvery = 20;

/** Names of threads that carry sound, in PulseAudio, its clients, Chromium and the players. */
const soundThread = /audio|pulse|null-sink|alsa|aplay|mainloop|threaded-ml/i;

/** Directories in /proc of those threads. */
async function soundThreads(rootPid: number): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await descendants(rootPid)) {
    for (const task of await list(`/proc/${pid}/task`)) {
      const directory = `/proc/${pid}/task/${task}`;
      if (soundThread.test(await read(`${directory}/comm`))) found.push(directory);
    }
  }
  return found;
}

/** Empty when the process ended meanwhile. */
async function list(path: string): Promise<string[]> {
  return await readdir(path).catch(() => []);
}

async function read(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch(() => '');
}
