import type { IceRestartLimits } from './ice-restart.ts';

/** The deadlines of one viewer's session, in ms. */
export interface SessionLimits extends IceRestartLimits {
  /** From the offer to the answer. */
  readonly answerMs: number;
  /** From the answer to a connection. */
  readonly connectMs: number;
  /** Between two media resets. */
  readonly resetMs: number;
  /** Silence after which the viewer is asked for a sign of life, once a tick. */
  readonly probeMs: number;
  /**
   * Silence after which it is taken for gone: longer than a browser takes to notice (Chromium: up to 8 s) and the page
   * to ask for an ICE restart (2 s more), which would find nothing left to restart.
   */
  readonly silenceMs: number;
}

export const defaultSessionLimits: SessionLimits = {
  answerMs: 30_000,
  connectMs: 30_000,
  resetMs: 2_000,
  restartMs: 2_000,
  restartDeadlineMs: 15_000,
  probeMs: 2_000,
  silenceMs: 12_000,
};
