import { EventEmitter } from 'node:events';
import { performance } from 'node:perf_hooks';
import { type EarshotError, isEarshotError, messageOf } from '../src/errors/earshot-error.ts';
import type { ChannelStats, CloseReason } from '../src/ipc/channel.ts';
import type { ControlMessage, MediaMessage, MediaType } from '../src/ipc/messages.ts';
import type { Log } from '../src/log/log.ts';
import { type ChildProcess, spawnChild } from './child-process.ts';
import type { ChildSpec } from './child-spec.ts';
import { describeExit, isBadConfiguration, type ProcessExit } from './exit-codes.ts';
import { FaultLog } from './fault-log.ts';
import { watchHeartbeat } from './heartbeat.ts';
import type { ProcessUsage } from './process-stats.ts';
import { isRefusal } from './refusal.ts';
import type { SupervisionTiming } from './timing.ts';
import { watchUsage } from './usage-watch.ts';

type Fields = Readonly<Record<string, unknown>>;

/** How a run ended. */
export interface RunEnd {
  /** In words: how the process ended, and why it had to be ended where it was. */
  readonly words: string;
  /** The child does not accept its configuration: another run with it would end the same. */
  readonly refusal: string | undefined;
}

export interface ChildRunEvents {
  ready: [effective: Fields];
  media: [message: MediaMessage];
  event: [event: { readonly name: string; readonly data: Fields }];
  stats: [stats: Fields];
  usage: [usage: ProcessUsage];
  log: [line: string];
  /** Exactly once, last of all: no process lives any more. */
  ended: [end: RunEnd];
}

export interface ChildRunOptions {
  readonly spec: ChildSpec;
  readonly config: Fields;
  readonly timing: SupervisionTiming;
  readonly log: Log;
}

/** One life of a child: spawn, hello, configure, ready, watch, stop. Never used twice. */
export class ChildRun extends EventEmitter<ChildRunEvents> {
  readonly #spec: ChildSpec;
  readonly #config: Fields;
  readonly #timing: SupervisionTiming;
  readonly #log: Log;
  /** Aborted at the end: whatever waits in this run stops waiting. */
  readonly #over = new AbortController();
  #process: ChildProcess | undefined;
  #greeted = false;
  #stopping = false;
  #ended = false;
  /** Why this run had to be ended; the first reason counts. */
  #cause: string | undefined;
  #refusal: string | undefined;
  #timers: NodeJS.Timeout[] = [];
  readonly #faults: FaultLog;

  constructor({ spec, config, timing, log }: ChildRunOptions) {
    super();
    this.#spec = spec;
    this.#config = config;
    this.#timing = timing;
    this.#log = log;
    this.#faults = new FaultLog({ log, now: () => performance.now() });
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  channelStats(): ChannelStats | undefined {
    return this.#process?.channel.stats();
  }

  /** Spawns the process; what becomes of it is told by events. Once. */
  start(): void {
    spawnChild(this.#spec).then(
      (child) => this.#spawned(child),
      (error: unknown) => this.#end(messageOf(error)),
    );
  }

  /** Sends a frame of media; false when the child does not take it. */
  sendMedia(frame: {
    readonly type: MediaType;
    readonly payload: Uint8Array;
    readonly timestampNs: bigint;
    readonly flags?: number;
  }): boolean {
    return this.#process?.channel.sendMedia(frame) ?? false;
  }

  /** Asks the running child to take `config`; resolves to what it runs with then, rejects as `Channel.request` does. */
  async configure(config: Fields): Promise<Fields> {
    const channel = this.#process?.channel;
    if (channel === undefined) throw new Error('a run is configured after it is ready');
    const reply = await channel.request(
      'configure',
      { config: { ...config } },
      { deadlineMs: this.#timing.configureMs },
    );
    return reply.body.effective;
  }

  /** Begins the stop sequence; 'ended' tells its end, at most `stopKillMs` later. Idempotent. */
  stop(): void {
    if (this.#stopping || this.#ended) return;
    this.#stopping = true;
    this.#clearTimers();
    const child = this.#process;
    if (child === undefined) return;
    child.channel.send('stop', {});
    this.#after(this.#timing.stopTermMs, () => child.kill('SIGTERM'));
    this.#after(this.#timing.stopKillMs, () => {
      this.#cause ??= `it did not stop within ${this.#timing.stopKillMs} ms`;
      child.kill('SIGKILL');
    });
  }

  #spawned(child: ChildProcess): void {
    this.#process = child;
    const { channel } = child;
    child.on('log', (line) => this.emit('log', line));
    child.once('exit', (exit) => this.#exited(exit));
    channel.on('control', (message) => this.#control(child, message));
    channel.on('media', (message) => this.emit('media', message));
    channel.on('invalid', (error) => this.#invalid(error));
    channel.once('close', (reason) => this.#channelClosed(child, reason));
    this.#after(this.#timing.readyMs, () => {
      this.#kill(`it was not ready within ${this.#timing.readyMs} ms`);
    });
    child.start();
    if (!this.#stopping) return;
    // Asked to stop before there was a process to ask.
    this.#stopping = false;
    this.stop();
  }

  #control(child: ChildProcess, message: ControlMessage): void {
    switch (message.type) {
      case 'hello':
        this.#hello(child, message.body);
        break;
      case 'stats':
        this.emit('stats', message.body.stats);
        break;
      case 'event':
        this.emit('event', message.body);
        break;
      case 'error':
        this.#faults.report('child error', { code: message.body.code, text: message.body.message });
        break;
      default:
        this.#faults.report('child sent what only main sends', { type: message.type });
    }
  }

  #hello(child: ChildProcess, { role, version }: { role: string; version: string }): void {
    if (this.#greeted) return;
    this.#greeted = true;
    if (role !== this.#spec.name) {
      this.#kill(`it says it is ${role}, not ${this.#spec.name}`);
      return;
    }
    this.#log.debug({ pid: child.pid, version }, 'child said hello');
    void this.#firstConfigure(child);
  }

  async #firstConfigure(child: ChildProcess): Promise<void> {
    try {
      const reply = await child.channel.request(
        'configure',
        { config: { ...this.#config } },
        // The ready deadline is the one that counts; this one only bounds the request.
        { deadlineMs: this.#timing.readyMs, signal: this.#over.signal },
      );
      if (reply.type !== 'ready') {
        this.#kill('it answered its first configure without being ready');
      } else if (!this.#stopping && !this.#ended) {
        this.#ready(child, reply.body.effective);
      }
    } catch (error) {
      this.#firstConfigureFailed(error);
    }
  }

  #firstConfigureFailed(error: unknown): void {
    if (this.#ended || this.#stopping || isEarshotError(error, 'IPC_CLOSED')) return;
    const words = `it did not take its configuration: ${messageOf(error)}`;
    if (isRefusal(error)) this.#refusal ??= messageOf(error);
    this.#kill(words);
  }

  #ready(child: ChildProcess, effective: Fields): void {
    this.#clearTimers();
    const { signal } = this.#over;
    const { heartbeatMs, heartbeatMisses, usageMs } = this.#timing;
    this.emit('ready', effective);
    void watchHeartbeat(child.channel, {
      intervalMs: heartbeatMs,
      misses: heartbeatMisses,
      signal,
    }).then((hangs) => {
      if (hangs) this.#kill(`it missed ${heartbeatMisses} heartbeats of ${heartbeatMs} ms`);
    });
    const onUsage = (usage: ProcessUsage) => this.#usage(usage);
    void watchUsage({ pid: child.pid, intervalMs: usageMs, onUsage, signal });
  }

  #usage(usage: ProcessUsage): void {
    this.emit('usage', usage);
    const limit = this.#spec.memoryLimitBytes;
    if (usage.rssBytes <= limit) return;
    this.#kill(
      `it used ${mebibytes(usage.rssBytes)} MiB, over its limit of ${mebibytes(limit)} MiB`,
    );
  }

  #invalid(error: EarshotError): void {
    this.#faults.report('child sent an invalid message', { code: error.code, text: error.message });
  }

  /** A child whose channel is gone has nothing left to do: it gets the time to end by itself. */
  #channelClosed(child: ChildProcess, reason: CloseReason): void {
    if (this.#ended) return;
    if (reason.kind !== 'peer' && reason.kind !== 'local') this.#cause ??= reason.message;
    if (this.#stopping) return;
    this.#clearTimers();
    this.#after(this.#timing.closeKillMs, () => {
      this.#cause ??= 'it closed its channel and did not end';
      child.kill('SIGKILL');
    });
  }

  #kill(cause: string): void {
    if (this.#ended) return;
    this.#cause ??= cause;
    this.#process?.kill('SIGKILL');
  }

  #exited(exit: ProcessExit): void {
    if (isBadConfiguration(exit)) this.#refusal ??= 'it does not accept its configuration';
    const words = describeExit(exit);
    this.#end(this.#cause === undefined ? words : `${words}: ${this.#cause}`);
  }

  #end(words: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#clearTimers();
    this.#over.abort();
    this.emit('ended', { words, refusal: this.#refusal });
  }

  #after(ms: number, act: () => void): void {
    this.#timers.push(setTimeout(act, ms));
  }

  #clearTimers(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
  }
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1_048_576);
}
