import { readdir, readFile } from 'node:fs/promises';

/** What stands for the disk of the demo's host: what its programs read and wrote. */

/** How much of it makes the LED be lit the whole second, in bytes. */
const bytesPerLitSecond = 4 * 1024 * 1024;

const everyMs = 1_000;

export interface DiskActivityOptions {
  /** The host's programs; those that they started count too. */
  readonly pids: () => readonly number[];
  /** How long the LED was lit in the last second, in ms; called when that changes. */
  readonly lit: (ms: number) => void;
}

/** Looks once a second. */
export class DiskActivity {
  readonly #options: DiskActivityOptions;
  #timer: NodeJS.Timeout | undefined;
  #moved = new Map<number, number>();
  #litMs = 0;
  #isLooking = false;

  constructor(options: DiskActivityOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer ??= setInterval(() => {
      if (this.#isLooking) return;
      this.#isLooking = true;
      void this.#look().finally(() => {
        this.#isLooking = false;
      });
    }, everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #look(): Promise<void> {
    const moved = new Map<number, number>();
    for (const pid of this.#options.pids()) await addTree(moved, pid);
    let bytes = 0;
    for (const [pid, count] of moved) bytes += count - (this.#moved.get(pid) ?? 0);
    this.#moved = moved;
    const litMs = Math.round(Math.min(1, bytes / bytesPerLitSecond) * 100) * 10;
    if (litMs === this.#litMs || this.#timer === undefined) return;
    this.#litMs = litMs;
    this.#options.lit(litMs);
  }
}

/** Adds what a process and those it started have moved so far (proc(5): rchar and wchar). */
async function addTree(moved: Map<number, number>, pid: number): Promise<void> {
  try {
    const io = await readFile(`/proc/${pid}/io`, 'utf8');
    const [, read = '0'] = /^rchar: (\d+)$/m.exec(io) ?? [];
    const [, written = '0'] = /^wchar: (\d+)$/m.exec(io) ?? [];
    moved.set(pid, Number(read) + Number(written));
    for (const task of await readdir(`/proc/${pid}/task`)) {
      const children = await readFile(`/proc/${pid}/task/${task}/children`, 'utf8');
      for (const child of children.split(' ')) {
        if (child !== '') await addTree(moved, Number(child));
      }
    }
  } catch {
    // It has ended.
  }
}
