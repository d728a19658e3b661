import { EventEmitter } from 'node:events';
import { performance } from 'node:perf_hooks';
import { EarshotError, isEarshotError } from '../src/errors/earshot-error.ts';
import type { ChannelStats } from '../src/ipc/channel.ts';
import type { MediaMessage, MediaType } from '../src/ipc/messages.ts';
import type { Log } from '../src/log/log.ts';
import { ChildRun, type RunEnd } from './child-run.ts';
import type { ChildSpec } from './child-spec.ts';
import type { ChildState, ChildStatus, ConfigureOutcome } from './child-status.ts';
import { type LifecycleEvent, nextState } from './lifecycle.ts';
import type { ProcessUsage } from './process-stats.ts';
import { isRefusal } from './refusal.ts';
import { RestartPolicy } from './restart-policy.ts';
import { defaultTiming, type SupervisionTiming } from './timing.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface SupervisedChildEvents {
  /** At each transition. */
  state: [status: ChildStatus];
  /** A media frame of the child; its payload is valid until the handler returns. */
  media: [message: MediaMessage];
  /** An event of the child's own (`device-lost`, …). */
  event: [event: { readonly name: string; readonly data: Fields }];
  /** The child's numbers, once a second. */
  stats: [stats: Fields];
  /** CPU and memory of the process, once a second. */
  usage: [usage: ProcessUsage];
  /** A line the child wrote to standard error. */
  log: [line: string];
}

export interface SupervisedChildOptions {
  readonly spec: ChildSpec;
  readonly log: Log;
  readonly timing?: SupervisionTiming;
  /** Numbers in [0, 1) for the jitter. */
  readonly random?: () => number;
}

const noUsage: ProcessUsage = { cpuPercent: 0, rssBytes: 0 };

/**
 * One child over all its lives. The table in lifecycle.ts says what may follow what.
 *
 * INVARIANT: a process lives only in `starting`, `running` and `stopping`.
 */
export class SupervisedChild extends EventEmitter<SupervisedChildEvents> {
  readonly #spec: ChildSpec;
  readonly #log: Log;
  readonly #timing: SupervisionTiming;
  readonly #policy: RestartPolicy;
  #state: ChildState = 'stopped';
  #stateSinceMs = performance.now();
  /** Whether it should be up; `stop()` alone takes it back. */
  #wanted = false;
  #config: Fields;
  #effective: Fields | undefined;
  #run: ChildRun | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #retryAtMs = 0;
  #restarts = 0;
  #lastExit = '';
  /** Why the present configuration is not accepted, once a child said so. */
  #refusal: string | undefined;
  #usage = noUsage;
  /** Configurations and restarts are taken one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #waitingTurns = 0;
  readonly #stateWaiters = new Set<() => void>();

  constructor({ spec, log, timing, random }: SupervisedChildOptions) {
    super();
    this.#spec = spec;
    this.#log = log.child({ child: spec.name });
    this.#timing = timing ?? defaultTiming;
    this.#config = spec.initialConfig;
    this.#policy = new RestartPolicy(this.#timing.restart, {
      now: () => performance.now(),
      random: random ?? Math.random,
    });
  }

  get name(): string {
    return this.#spec.name;
  }

  /** What the child says it runs with; undefined while it does not run. */
  get effective(): Fields | undefined {
    return this.#effective;
  }

  status(): ChildStatus {
    const now = performance.now();
    const pid = this.#run?.pid;
    return {
      name: this.#spec.name,
      state: this.#state,
      ...(pid === undefined ? {} : { pid }),
      sinceMs: Math.round(now - this.#stateSinceMs),
      restarts: this.#restarts,
      lastExit: this.#lastExit,
      retryInMs: this.#state === 'backing-off' ? Math.max(0, Math.round(this.#retryAtMs - now)) : 0,
      cpuPercent: Math.round(this.#usage.cpuPercent * 10) / 10,
      rssBytes: this.#usage.rssBytes,
    };
  }

  /** Counters of the channel to the present process. */
  channelStats(): ChannelStats | undefined {
    return this.#run?.channelStats();
  }

  /**
   * Wants the child up and spawns it. Resolves when the first try is over, well or not: a child that
   * cannot run is the supervisor's business, not its caller's. Idempotent; leaves `failed` alone.
   */
  async start(): Promise<void> {
    this.#wanted = true;
    this.#launchIfWanted();
    await this.#until(() => this.#settled);
  }

  /** Stops the child: message, SIGTERM, SIGKILL. Resolves when no process lives. Idempotent. */
  async stop(): Promise<void> {
    this.#wanted = false;
    this.#clearRetry();
    if (this.#state === 'backing-off' || this.#state === 'failed') this.#apply('stop');
    else if (this.#state === 'starting' || this.#state === 'running') this.#stopRun();
    const stopped = await this.#until(() => this.#state === 'stopped' || this.#wanted);
    if (!stopped) this.#log.error({ pid: this.#run?.pid }, 'child could not be killed');
  }

  /**
   * Stops the child and starts it again, out of `failed` too, and forgets its crashes. Resolves when
   * it runs. Throws CHILD_NOT_RUNNING when this try does not get there, CHILD_BUSY when too many
   * changes wait already.
   */
  restart(): Promise<void> {
    return this.#inTurn(async () => {
      this.#wanted = true;
      this.#policy.reset();
      this.#relaunch();
      await this.#until(() => this.#settled);
      if (this.#state === 'running') return;
      const { name } = this.#spec;
      const details = { child: name, state: this.#state, lastExit: this.#lastExit };
      const words = `${name} did not come up again, it is ${this.#state}: ${this.#lastExit}.`;
      throw new EarshotError('CHILD_NOT_RUNNING', words, { details });
    });
  }

  /** A device came that the child may lack: where it has no try left, or waits for one, it gets one now. */
  deviceAppeared(): void {
    if (!this.#wanted || (this.#state !== 'failed' && this.#state !== 'backing-off')) return;
    this.#policy.reset();
    this.#relaunch();
  }

  /**
   * Applies a configuration. A running child takes it live. When the child refuses it, its error is
   * thrown and the old one stays in force; when it fails or does not answer, the child is restarted
   * with the new one, or, should it refuse it then, with the old one (and CONFIG_INVALID is thrown).
   * A child that had `failed` over its configuration gets its next try with this one. Throws
   * CHILD_BUSY when too many changes wait already.
   */
  configure(config: Fields): Promise<ConfigureOutcome> {
    return this.#inTurn(() => this.#configure(config));
  }

  /** Sends a frame of media to the child; false when it does not take it. */
  sendMedia(frame: {
    readonly type: MediaType;
    readonly payload: Uint8Array;
    readonly timestampNs: bigint;
    readonly flags?: number;
  }): boolean {
    return this.#state === 'running' && (this.#run?.sendMedia(frame) ?? false);
  }

  async #configure(config: Fields): Promise<ConfigureOutcome> {
    await this.#until(() => this.#settled);
    const before = this.#config;
    const run = this.#run;
    if (this.#state !== 'running' || run === undefined) {
      this.#config = config;
      if (this.#state !== 'failed' || this.#refusal === undefined) return pending;
      this.#relaunch();
      return this.#restarted(before);
    }
    try {
      const effective = await run.configure(config);
      this.#config = config;
      if (this.#run === run) this.#effective = effective;
      return { applied: 'live', effective };
    } catch (error) {
      if (isRefusal(error)) throw error;
      this.#config = config;
      this.#log.warn({ err: error }, 'live configure failed, the child restarts with it');
      // A closed channel means a process that is ending: that crash, counted, is the restart.
      if (isEarshotError(error, 'IPC_CLOSED')) await this.#until(() => this.#run !== run);
      else if (this.#run === run) this.#relaunch();
    }
    return this.#restarted(before);
  }

  /** How the restart with a new configuration went; `before` is the one to go back to. */
  async #restarted(before: Fields): Promise<ConfigureOutcome> {
    await this.#until(() => this.#settled && this.#state !== 'backing-off');
    if (this.#state === 'running') return { applied: 'restart', effective: this.#effective };
    if (this.#state !== 'failed' || this.#refusal === undefined) return pending;
    const words = `${this.#spec.name} refused the configuration: ${this.#refusal}.`;
    this.#config = before;
    this.#relaunch();
    throw new EarshotError('CONFIG_INVALID', words, { details: { child: this.#spec.name } });
  }

  /** Nothing is under way: it runs, waits, or is down for good. */
  get #settled(): boolean {
    if (this.#state === 'stopped') return !this.#wanted;
    return this.#state === 'running' || this.#state === 'backing-off' || this.#state === 'failed';
  }

  /** Gets a process started as soon as the present one, if any, is gone. */
  #relaunch(): void {
    this.#clearRetry();
    if (this.#state === 'starting' || this.#state === 'running') this.#stopRun();
    else if (this.#state === 'backing-off') this.#launch('retry');
    else if (this.#state === 'stopped' || this.#state === 'failed') this.#launch('start');
    // In `stopping`, the end of the process starts the next, since the child is wanted.
  }

  #launchIfWanted(): void {
    if (this.#wanted && this.#state === 'stopped') this.#launch('start');
  }

  #launch(event: 'start' | 'retry'): void {
    this.#refusal = undefined;
    const run = new ChildRun({
      spec: this.#spec,
      config: this.#config,
      timing: this.#timing,
      log: this.#log,
    });
    this.#run = run;
    run.once('ready', (effective) => this.#ready(effective));
    run.on('media', (message) => this.emit('media', message));
    run.on('event', (event) => this.emit('event', event));
    run.on('stats', (stats) => this.emit('stats', stats));
    run.on('log', (line) => this.emit('log', line));
    run.on('usage', (usage) => {
      this.#usage = usage;
      this.emit('usage', usage);
    });
    run.once('ended', (end) => this.#ended(end));
    run.start();
    this.#apply(event);
  }

  #stopRun(): void {
    this.#run?.stop();
    this.#apply('stop');
  }

  #ready(effective: Fields): void {
    this.#effective = effective;
    this.#apply('ready');
    this.#log.info({ pid: this.#run?.pid }, 'child is running');
  }

  #ended({ words, refusal }: RunEnd): void {
    this.#run = undefined;
    this.#effective = undefined;
    this.#usage = noUsage;
    this.#lastExit = words;
    if (this.#state === 'stopping') {
      this.#log.info({ exit: words }, 'child stopped');
      this.#apply('exited');
      this.#launchIfWanted();
    } else if (refusal === undefined) {
      this.#crashed(words);
    } else {
      this.#refusal = refusal;
      this.#log.error({ exit: words, refusal }, 'child refuses its configuration');
      this.#apply('refused');
    }
  }

  #crashed(words: string): void {
    const delayMs = this.#policy.crashed();
    this.#retryAtMs = performance.now() + (delayMs ?? 0);
    if (delayMs !== undefined) this.#retryTimer = setTimeout(() => this.#retry(), delayMs);
    this.#log.warn({ exit: words, retryInMs: delayMs }, 'child ended unexpectedly');
    this.#apply('crash');
    if (delayMs !== undefined || this.#state !== 'backing-off') return;
    this.#log.error({ exit: words }, 'child crashed too often and is given up');
    this.#apply('give-up');
  }

  #retry(): void {
    this.#restarts += 1;
    this.#launch('retry');
  }

  #clearRetry(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
  }

  #apply(event: LifecycleEvent): void {
    const next = nextState(this.#state, event);
    if (next === undefined) {
      throw new EarshotError('INTERNAL', `A child that is ${this.#state} cannot ${event}.`);
    }
    this.#state = next;
    this.#stateSinceMs = performance.now();
    this.emit('state', this.status());
    for (const look of [...this.#stateWaiters]) look();
  }

  /** Waits for a condition on the state; false when it does not come in the time any run may take. */
  #until(condition: () => boolean): Promise<boolean> {
    if (condition()) return Promise.resolve(true);
    const { stopKillMs, readyMs, closeKillMs, restart } = this.#timing;
    const boundMs = stopKillMs + readyMs + closeKillMs + restart.baseMs + 1_000;
    return new Promise((resolve) => {
      const finish = (met: boolean) => {
        clearTimeout(timer);
        this.#stateWaiters.delete(look);
        resolve(met);
      };
      const look = () => {
        if (condition()) finish(true);
      };
      const timer = setTimeout(() => finish(false), boundMs);
      this.#stateWaiters.add(look);
    });
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    if (this.#waitingTurns >= maxWaitingTurns) {
      const words = `${maxWaitingTurns} changes of ${this.#spec.name} wait already.`;
      return Promise.reject(new EarshotError('CHILD_BUSY', words));
    }
    this.#waitingTurns += 1;
    const turn = this.#turn.then(act).finally(() => {
      this.#waitingTurns -= 1;
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }
}

const pending: ConfigureOutcome = { applied: 'pending', effective: undefined };
const maxWaitingTurns = 16;
