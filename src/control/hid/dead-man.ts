import type { HidTimers } from './hid-timers.ts';
import { deadManMs } from './limits.ts';

export interface DeadManOptions {
  readonly timers: HidTimers;
  /** Whether there is anything to release. */
  readonly holds: () => boolean;
  /** Nothing was heard for 100 ms. */
  readonly expired: () => void;
}

/** A timer this late says that the machine stood still; what was sent meanwhile is read first, for so long. */
const lateMs = 10;
const readingMs = 5;

/**
 * Releases what a viewer holds when nothing is heard of it for 100 ms. One timer, which looks when it ends
 * how long ago the last message was: a message costs no timer.
 */
export class DeadMan {
  readonly #options: DeadManOptions;
  #heardMs = 0;
  #end: (() => void) | undefined;

  constructor(options: DeadManOptions) {
    this.#options = options;
  }

  /** A message came; to be called before what it does, and by {@link watch} after. */
  heard(): void {
    this.#heardMs = this.#options.timers.nowMs();
  }

  /** Begins to watch when something is held. */
  watch(): void {
    if (this.#end === undefined && this.#options.holds()) this.#arm(deadManMs);
  }

  stop(): void {
    this.#end?.();
    this.#end = undefined;
  }

  #arm(ms: number): void {
    const dueMs = this.#options.timers.nowMs() + ms;
    this.#end = this.#options.timers.after(ms, () => this.#look(dueMs));
  }

  #look(dueMs: number): void {
    this.#end = undefined;
    if (!this.#options.holds()) return;
    const nowMs = this.#options.timers.nowMs();
    const restMs = this.#heardMs + deadManMs - nowMs;
    if (restMs > 0) this.#arm(restMs);
    else if (nowMs - dueMs > lateMs) this.#arm(readingMs);
    else this.#options.expired();
  }
}
