import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import {
  type ChildStatusBody,
  type MicrophoneMetrics,
  type MicrophoneQuality,
  type MicrophoneStatus,
  microphoneMetricsSchema,
  microphoneQualitySchema,
  microphoneStatusSchema,
  type Quality,
  qualitySchema,
  type SetQuality,
  type Status,
  statusSchema,
} from '../../src/api/schema.ts';
import { ControlClient } from '../../src/cli/control-client.ts';
import type { Card } from './card-delay.ts';
import type { NetworkSide } from './netns.ts';

/** A whole Earshot, as a board runs it: the built executable with a configuration file, in a process of its own. */

export interface EarshotOptions {
  /** The host's sound. */
  readonly card: Card;
  /** Where the host records the microphone from: a device of the same server. */
  readonly microphone?: Card;
  /** More configuration, by section; see src/config/schema.ts. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** The network it is in, where it listens on `ipv4`; this machine's loopback by default. */
  readonly side?: NetworkSide;
}

/** One line of its log. */
export interface LogLine {
  /** When it was read, ms of performance.now(). */
  readonly atMs: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

const program = fileURLToPath(new URL('../../dist/earshot.mjs', import.meta.url));
const startDeadlineMs = 15_000;
const stopDeadlineMs = 15_000;
const logLinesKept = 5_000;

export class EarshotProcess {
  /** When the process was spawned, ms of performance.now(). */
  readonly spawnedMs: number;
  readonly #child: ChildProcess;
  readonly #dir: string;
  readonly #lines: LogLine[] = [];
  readonly #isElsewhere: boolean;
  #url = '';

  constructor(
    child: ChildProcess,
    {
      dir,
      spawnedMs,
      isElsewhere = false,
    }: { dir: string; spawnedMs: number; isElsewhere?: boolean },
  ) {
    this.#child = child;
    this.#dir = dir;
    this.#isElsewhere = isElsewhere;
    this.spawnedMs = spawnedMs;
    if (child.stderr === null) throw new Error('the log is not a pipe');
    createInterface(child.stderr).on('line', (line) => {
      if (this.#lines.length === logLinesKept) this.#lines.shift();
      this.#lines.push({ atMs: performance.now(), fields: parseLine(line) });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Address of the page, without a slash at the end. */
  get url(): string {
    return this.#url;
  }

  /** Path of the control socket. */
  get controlSocket(): string {
    return join(this.#dir, 'control.sock');
  }

  /** What it logged, oldest first. */
  get log(): readonly LogLine[] {
    return this.#lines;
  }

  /** The first line of the log that `matches`, now or later. Throws when the process ends or the deadline passes. */
  async logged(
    matches: (fields: LogLine['fields']) => boolean,
    deadlineMs = startDeadlineMs,
  ): Promise<LogLine> {
    return await this.until(() => this.#lines.find(({ fields }) => matches(fields)), {
      what: 'a line of the log',
      deadlineMs,
      everyMs: 1,
    });
  }

  /** Waits for `condition`, asked every `everyMs`, to give something. Throws when the process ends or the deadline passes. */
  async until<T>(
    condition: () => Promise<T | undefined | false> | T | undefined | false,
    options: { readonly what: string; readonly deadlineMs: number; readonly everyMs?: number },
  ): Promise<T> {
    const { what, deadlineMs, everyMs = 10 } = options;
    const deadline = performance.now() + deadlineMs;
    for (;;) {
      const result = await condition();
      if (result !== undefined && result !== false) return result;
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        throw new Error(`Earshot ended while a test waited for ${what}:\n${this.#tail()}`);
      }
      if (performance.now() > deadline) {
        throw new Error(`no ${what} within ${deadlineMs} ms:\n${this.#tail()}`);
      }
      await delay(everyMs);
    }
  }

  /** Waits until it listens; `url` is known from then on. */
  async listening(): Promise<LogLine> {
    const line = await this.logged(({ msg }) => msg === 'listening');
    this.#url = v.parse(v.string(), line.fields['url']).replace(/\/$/, '');
    return line;
  }

  /** Waits until it listens and its children run. */
  async ready(): Promise<void> {
    await this.listening();
    await this.until(
      async () => (await this.status()).children.every(({ state }) => state === 'running'),
      { what: 'running children', deadlineMs: startDeadlineMs },
    );
  }

  async status(): Promise<Status> {
    return v.parse(statusSchema, await this.#request('/api/v1/status'));
  }

  async child(name: string): Promise<ChildStatusBody> {
    const child = (await this.status()).children.find((candidate) => candidate.name === name);
    if (child === undefined) throw new Error(`no child ${name}`);
    return child;
  }

  async setQuality(request: SetQuality): Promise<Quality> {
    return v.parse(qualitySchema, await this.#request('/api/v1/audio/quality', request));
  }

  async microphone(): Promise<MicrophoneStatus> {
    return v.parse(microphoneStatusSchema, await this.#request('/api/v1/microphone'));
  }

  async microphoneMetrics(): Promise<MicrophoneMetrics> {
    return v.parse(microphoneMetricsSchema, await this.#request('/api/v1/microphone/metrics'));
  }

  async setMicrophoneQuality(quality: MicrophoneQuality['quality']): Promise<MicrophoneQuality> {
    const answer = await this.#request('/api/v1/microphone/quality', { quality });
    return v.parse(microphoneQualitySchema, answer);
  }

  /** Gives the microphone to a session, whoever holds it. */
  async takeMicrophone(session: string): Promise<MicrophoneStatus> {
    const request = { session, takeover: true };
    return v.parse(
      microphoneStatusSchema,
      await this.#request('/api/v1/microphone/start', request),
    );
  }

  /** Kills a child with SIGKILL and returns when that was, ms of performance.now(). */
  async killChild(name: string): Promise<number> {
    const { pid } = await this.child(name);
    if (pid === undefined) throw new Error(`${name} does not run`);
    const atMs = performance.now();
    process.kill(pid, 'SIGKILL');
    return atMs;
  }

  /** Asks it to end as init would, and removes its files. Throws when it did not end cleanly. Idempotent. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      const forced = setTimeout(() => child.kill('SIGKILL'), stopDeadlineMs);
      await exited;
      clearTimeout(forced);
    }
    await rm(this.#dir, { recursive: true, force: true });
    if (child.exitCode !== 0) {
      throw new Error(`Earshot ended with ${child.exitCode ?? child.signalCode}:\n${this.#tail()}`);
    }
  }

  /** Ends it without leave to clean up, and removes its files. */
  async kill(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await exited;
    }
    await rm(this.#dir, { recursive: true, force: true });
  }

  async #request(path: string, body?: unknown): Promise<unknown> {
    if (this.#isElsewhere) {
      // Its network is not this process's; its files are.
      const control = new ControlClient({ socket: this.controlSocket });
      if (body === undefined) return await control.get(path, v.unknown());
      return await control.post(path, body, v.unknown());
    }
    const response = await fetch(`${this.#url}${path}`, {
      signal: AbortSignal.timeout(10_000),
      ...(body === undefined
        ? {}
        : {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(body),
          }),
    });
    const answer: unknown = await response.json();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
  }

  #tail(): string {
    return this.#lines
      .slice(-20)
      .map(({ fields }) => JSON.stringify(fields))
      .join('\n');
  }
}

/** Spawns Earshot; returns at once. The caller stops it. */
export async function spawnEarshot({
  card,
  microphone,
  config = {},
  side,
}: EarshotOptions): Promise<EarshotProcess> {
  if (!existsSync(program)) throw new Error('dist/ is not built: run `make build` first');
  const dir = await mkdtemp(join(tmpdir(), 'earshot-lab-'));
  const file = join(dir, 'earshot.yaml');
  const whole = {
    http: { port: 0, ...(side && { listen: side.ipv4 }) },
    https: { port: 0 },
    audio: {
      output: { device: card.server.capturePcm(card.sink) },
      ...(microphone && { input: { device: microphone.server.feedPcm(microphone.sink) } }),
    },
    control: { socket: join(dir, 'control.sock') },
    dataDir: dir,
    ...config,
  };
  // JSON is YAML.
  await writeFile(file, JSON.stringify(whole));
  const spawnedMs = performance.now();
  // setpriv: it does not outlive this process, not even when that is killed. It becomes Earshot, with the same id.
  const child = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', ...(side?.prefix ?? []), process.execPath, program, '--config', file],
    { env: { ...process.env, ...card.server.env }, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  return new EarshotProcess(child, { dir, spawnedMs, isElsewhere: side !== undefined });
}

/** Spawns Earshot and waits until it listens and its children run. */
export async function startEarshot(options: EarshotOptions): Promise<EarshotProcess> {
  const earshot = await spawnEarshot(options);
  try {
    await earshot.ready();
    return earshot;
  } catch (error) {
    await earshot.kill();
    throw error;
  }
}

function parseLine(line: string): Readonly<Record<string, unknown>> {
  try {
    return v.parse(v.record(v.string(), v.unknown()), JSON.parse(line));
  } catch {
    return { msg: line };
  }
}
