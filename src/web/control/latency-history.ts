import type { Point } from '../chart.ts';
import { historyMs } from '../history.ts';

/** From an event in this browser to the report's write at the device. */
export interface LatencyNumbers {
  /** Of the newest event. */
  readonly lastMs: number | undefined;
  /** The middle one of the last minute. */
  readonly medianMs: number | undefined;
  /** The middle one of each second with events, oldest first. */
  readonly points: readonly Point[];
}

export const noLatency: LatencyNumbers = {
  lastMs: undefined,
  medianMs: undefined,
  points: [],
};

/** The device answers no more than this many a second, and a minute is kept. */
const maxSamples = 4_096;

interface Sample {
  readonly atMs: number;
  readonly ms: number;
}

/** Keeps the last minute of latencies. */
export class LatencyHistory {
  #samples: Sample[] = [];

  /** Takes one; NaN, which the device sends while the clocks are not tied, is none. */
  note(ms: number, atMs: number): void {
    if (!Number.isFinite(ms)) return;
    this.#samples.push({ atMs, ms });
    if (this.#samples.length > maxSamples) this.#samples.shift();
  }

  /** The last minute as of `nowMs`; call it once a second. */
  numbers(nowMs: number): LatencyNumbers {
    this.#samples = this.#samples.filter(({ atMs }) => nowMs - atMs <= historyMs);
    const seconds = new Map<number, number[]>();
    for (const { atMs, ms } of this.#samples) {
      const second = Math.floor(atMs / 1_000);
      const list = seconds.get(second);
      if (list === undefined) seconds.set(second, [ms]);
      else list.push(ms);
    }
    return {
      lastMs: this.#samples.at(-1)?.ms,
      medianMs: median(this.#samples.map(({ ms }) => ms)),
      points: [...seconds].map(([second, list]) => ({
        atMs: Math.min(nowMs, (second + 1) * 1_000),
        value: median(list),
      })),
    };
  }
}

function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)];
}
