import type { HidTimers } from './hid-timers.ts';

/** Changes are told at most this often, and progress, in ms. */
const changeIntervalMs = 50;
const progressIntervalMs = 250;

/**
 * Tells of a status that changed: at once, or with the next change where one was told just now (a host may
 * blink with its LEDs a thousand times a second); of progress four times a second.
 */
export class StatusEvents {
  readonly #options: { readonly timers: HidTimers; readonly emit: () => void };
  #toldMs = Number.NEGATIVE_INFINITY;
  #dueMs = Number.POSITIVE_INFINITY;
  #end = () => {};

  constructor(options: { readonly timers: HidTimers; readonly emit: () => void }) {
    this.#options = options;
  }

  changed(): void {
    this.#tellAt(this.#toldMs + changeIntervalMs);
  }

  progressed(): void {
    this.#tellAt(this.#toldMs + progressIntervalMs);
  }

  stop(): void {
    this.#end();
    this.#dueMs = Number.POSITIVE_INFINITY;
  }

  #tellAt(dueMs: number): void {
    if (dueMs >= this.#dueMs) return;
    const { timers } = this.#options;
    this.stop();
    const waitMs = dueMs - timers.nowMs();
    if (waitMs <= 0) {
      this.#tell();
      return;
    }
    this.#dueMs = dueMs;
    this.#end = timers.after(waitMs, () => this.#tell());
  }

  #tell(): void {
    this.stop();
    this.#toldMs = this.#options.timers.nowMs();
    this.#options.emit();
  }
}
