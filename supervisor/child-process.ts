import { type ChildProcess as NodeChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Readable } from 'node:stream';
import { EarshotError, messageOf } from '../src/errors/earshot-error.ts';
import { Channel } from '../src/ipc/channel.ts';
import { parentChannelFd } from '../src/ipc/parent-channel.ts';
import { type ChildSpec, childEnvironment } from './child-spec.ts';
import type { ProcessExit } from './exit-codes.ts';
import { StderrLines } from './stderr-lines.ts';

const maxLineLength = 8_192;
const maxLinesPerS = 200;
/** How long after the exit the last output is waited for; a grandchild may hold the pipe open for ever. */
const drainMs = 300;

export interface ChildProcessEvents {
  /** A line of its standard error, without the newline. */
  log: [line: string];
  /** Exactly once: it ended and its output is read. */
  exit: [exit: ProcessExit];
}

/** One operating-system process with its channel on fd 3: no path, and nobody else can connect. */
export class ChildProcess extends EventEmitter<ChildProcessEvents> {
  readonly pid: number;
  readonly channel: Channel;
  readonly #process: NodeChildProcess;
  readonly #stderr: Readable;
  readonly #lines = new StderrLines({ maxLineLength, maxLinesPerS, now: () => performance.now() });
  #exit: ProcessExit | undefined;
  #drainTimer: NodeJS.Timeout | undefined;
  #ended = false;

  /** Takes a process that lives; use {@link spawnChild}. */
  constructor(process: NodeChildProcess, { pid, socket, stderr, maxMediaAgeMs }: Parts) {
    super();
    this.#process = process;
    this.pid = pid;
    this.#stderr = stderr;
    this.channel = new Channel(socket, maxMediaAgeMs === undefined ? {} : { maxMediaAgeMs });
  }

  /** Begins to read; attach handlers first. */
  start(): void {
    this.#stderr.on('data', (chunk: Buffer) => this.#log(this.#lines.push(chunk)));
    this.#process.once('exit', (code, signal) => {
      this.#exit = { code, signal };
      this.#drainTimer = setTimeout(() => this.#end(), drainMs);
    });
    this.#process.once('close', () => this.#end());
    this.#process.on('error', () => {
      // Only a signal that could not be sent gets here, since the process was spawned; the exit tells the rest.
    });
    this.channel.start();
  }

  /** Sends a signal unless the process has ended. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (this.#exit === undefined) this.#process.kill(signal);
  }

  #log(lines: readonly string[]): void {
    for (const line of lines) this.emit('log', line);
  }

  #end(): void {
    if (this.#ended || this.#exit === undefined) return;
    this.#ended = true;
    clearTimeout(this.#drainTimer);
    this.#log(this.#lines.end());
    this.#stderr.destroy();
    this.channel.close('The child process ended.');
    this.emit('exit', this.#exit);
  }
}

interface Parts {
  readonly pid: number;
  readonly socket: Socket;
  readonly stderr: Readable;
  readonly maxMediaAgeMs: number | undefined;
}

/** Starts a child's process. Rejects with CHILD_SPAWN_FAILED when there is none to start. */
export async function spawnChild(spec: ChildSpec): Promise<ChildProcess> {
  try {
    const child = spawn(spec.command, spec.args, {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      env: childEnvironment(spec, process.env),
      detached: false,
    });
    await once(child, 'spawn');
    const socket = child.stdio[parentChannelFd];
    if (child.pid === undefined || child.stderr === null || !(socket instanceof Socket)) {
      throw new Error('it came up without its pipes');
    }
    const { pid, stderr } = child;
    return new ChildProcess(child, { pid, socket, stderr, maxMediaAgeMs: spec.maxMediaAgeMs });
  } catch (cause) {
    throw new EarshotError(
      'CHILD_SPAWN_FAILED',
      `${spec.command} could not be started: ${messageOf(cause)}.`,
      { cause, details: { child: spec.name, command: spec.command } },
    );
  }
}
