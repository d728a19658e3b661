import type { JigglerSettings } from './hid-status.ts';
import type { HidTimers } from './hid-timers.ts';

export interface JigglerOptions {
  readonly timers: HidTimers;
  readonly settings: () => JigglerSettings;
  /** Moves the pointer there and back. */
  readonly move: () => void;
}

/** Moves the pointer when there was no input for so long, so that the host does not sleep. Off by default. */
export class Jiggler {
  readonly #options: JigglerOptions;
  #lastMs = 0;
  #end = () => {};

  constructor(options: JigglerOptions) {
    this.#options = options;
  }

  /** Begins, ends or goes on as the settings say. */
  apply(): void {
    this.#end();
    this.noteInput();
    if (this.#options.settings().enabled) this.#arm();
  }

  /** There was input. */
  noteInput(): void {
    this.#lastMs = this.#options.timers.nowMs();
  }

  stop(): void {
    this.#end();
  }

  #arm(): void {
    const { settings, timers } = this.#options;
    const dueMs = this.#lastMs + settings().seconds * 1_000;
    this.#end = timers.after(Math.max(dueMs - timers.nowMs(), 0), () => this.#look());
  }

  #look(): void {
    const { settings, timers, move } = this.#options;
    if (timers.nowMs() >= this.#lastMs + settings().seconds * 1_000) {
      this.noteInput();
      move();
    }
    this.#arm();
  }
}
