import type { Delay } from './delay.ts';
import type { Lane } from './lane-chooser.ts';
import type { StatsNumbers } from './stats.ts';
import type { VideoNumbers } from './video-stats.ts';

/** One second of measurements. */
export interface Measurement extends StatsNumbers {
  /** `performance.now()` ms. */
  readonly atMs: number;
  readonly delay: Delay | undefined;
  /** The lane that was measured: the one that sounded. */
  readonly lane: Lane;
  /** Undefined without a picture. */
  readonly video?: VideoNumbers | undefined;
}

/** What the chart spans. */
export const historyMs = 60_000;

/** More than a measurement a second are not kept, whatever the timers do. */
const historyMax = 120;

/** The history with one more measurement and without those older than {@link historyMs}. */
export function remember(history: readonly Measurement[], next: Measurement): Measurement[] {
  return [...history, next].filter(({ atMs }) => next.atMs - atMs <= historyMs).slice(-historyMax);
}
