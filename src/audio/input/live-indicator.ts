import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { messageOf } from '../../errors/earshot-error.ts';
import type { Log } from '../../log/log.ts';

/** How long a write or the command may take. */
const deadlineMs = 2_000;

/** Reasons told about; a command that fails in ever new words has told enough. */
const maxReasons = 20;

export interface LiveIndicatorOptions {
  /** File that gets `1` while the microphone is live and `0` otherwise, e.g. an LED's `brightness`; empty: none. */
  readonly sysfs?: string;
  /** Program and its arguments, run with `on` or `off` added; never through a shell. Empty: none. */
  readonly command?: readonly string[];
  readonly log: Log;
  /** Runs a program; rejects when it fails or does not end in time. */
  readonly run?: (file: string, args: readonly string[]) => Promise<void>;
  readonly write?: (path: string, text: string) => Promise<void>;
}

/**
 * Shows a person at the device whether the microphone is live: off at start and at stop. What cannot be
 * shown is logged once a reason, and concerns nobody else.
 */
export class LiveIndicator {
  readonly #lights: readonly Light[];

  constructor(options: LiveIndicatorOptions) {
    const { sysfs = '', command: [program, ...args] = [], log } = options;
    const { run = runProgram, write = writeExisting } = options;
    const lights: Light[] = [];
    if (sysfs !== '') {
      lights.push(new Light({ path: sysfs }, log, (on) => write(sysfs, on ? '1' : '0')));
    }
    if (program !== undefined) {
      const set = (on: boolean) => run(program, [...args, on ? 'on' : 'off']);
      lights.push(new Light({ command: program }, log, set));
    }
    this.#lights = lights;
  }

  /** Resolves when it shows off, or has failed to. */
  async start(): Promise<void> {
    this.show(false);
    await this.#settled();
  }

  /** Resolves when it shows off: in 4 s at most, when a command hangs and is run once more. */
  async stop(): Promise<void> {
    this.show(false);
    await this.#settled();
  }

  /** Returns at once; when changes come faster than they can be shown, the newest counts. */
  show(live: boolean): void {
    for (const light of this.#lights) light.want(live);
  }

  async #settled(): Promise<void> {
    await Promise.all(this.#lights.map((light) => light.settled()));
  }
}

/** One thing that shows the state. Sets it once at a time. */
class Light {
  readonly #what: Readonly<Record<string, unknown>>;
  readonly #log: Log;
  readonly #set: (on: boolean) => Promise<void>;
  readonly #reasons = new Set<string>();
  #wanted: boolean | undefined;
  #work: Promise<void> | undefined;

  constructor(
    what: Readonly<Record<string, unknown>>,
    log: Log,
    set: (on: boolean) => Promise<void>,
  ) {
    this.#what = what;
    this.#log = log;
    this.#set = set;
  }

  want(on: boolean): void {
    this.#wanted = on;
    this.#work ??= this.#follow();
  }

  async settled(): Promise<void> {
    await this.#work;
  }

  async #follow(): Promise<void> {
    let tried: boolean | undefined;
    while (this.#wanted !== undefined && this.#wanted !== tried) {
      tried = this.#wanted;
      await this.#set(tried).catch((error: unknown) => this.#failed(messageOf(error)));
    }
    this.#work = undefined;
  }

  #failed(reason: string): void {
    if (this.#reasons.has(reason) || this.#reasons.size >= maxReasons) return;
    this.#reasons.add(reason);
    this.#log.warn({ ...this.#what, reason }, 'the microphone’s live indicator does not follow');
  }
}

/** Never makes the file: a name that is wrong should fail, not fill a disk. */
async function writeExisting(path: string, text: string): Promise<void> {
  await writeFile(path, text, {
    flag: constants.O_WRONLY,
    signal: AbortSignal.timeout(deadlineMs),
  });
}

function runProgram(file: string, args: readonly string[]): Promise<void> {
  const limits = { timeout: deadlineMs, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 } as const;
  const env = { PATH: process.env['PATH'] ?? '' };
  return new Promise((resolve, reject) => {
    execFile(file, [...args], { ...limits, env }, (error, _stdout, stderr) => {
      if (error === null) resolve();
      else if (error.killed) reject(new Error(`no end within ${deadlineMs} ms`, { cause: error }));
      else if (typeof error.code === 'string') reject(error);
      else {
        const words = `exit code ${error.code ?? 'none'}: ${stderr.trim().slice(0, 200)}`;
        reject(new Error(words, { cause: error }));
      }
    });
  });
}
