import type { EventEmitter } from 'node:events';
import type { LedState } from './power-status.ts';

export type Button = 'power' | 'reset';

export interface PowerBoardEvents {
  /** `state`, `reason` or what is wired changed. */
  state: [];
  /** The power LED changed. */
  led: [LedState];
  /** A second went by in which the disk LED was lit for another share of it than in the one before. */
  disk: [];
}

/** What holds the host's buttons and sees its LEDs. */
export interface PowerBoard extends EventEmitter<PowerBoardEvents> {
  readonly state: 'opening' | 'ready';
  /** Why it is not ready; empty while it is. */
  readonly reason: string;
  readonly buttons: Readonly<Record<Button, boolean>>;
  readonly powerLed: LedState;
  /** Share of the last second that the disk LED was lit, 0–1; null without one. */
  readonly diskBusy: number | null;
  readonly garbledLines: number;
  start(): void;
  /** Lets go of every button first. Idempotent. */
  stop(): Promise<void>;
  /**
   * Holds `button` for `ms`, and resolves when it is released. It is released in any case: also when
   * this rejects, with POWER_NOT_CONFIGURED, POWER_UNAVAILABLE or POWER_FAILED.
   */
  hold(button: Button, ms: number): Promise<void>;
}
