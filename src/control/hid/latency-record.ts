import type { HidLatency, LatencyHistogram } from './hid-status.ts';
import { latencyCeilingMs, latencyFloorMs } from './limits.ts';

/** Upper bounds of the histogram in seconds: a report takes 1–8 ms of USB, a viewer's path the rest. */
const boundsSeconds = [
  0.001, 0.002, 0.004, 0.006, 0.008, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1,
] as const;

/** How many of the last events percentiles are of. */
const lastEvents = 512;

/**
 * How long after a viewer's event its report was written, in ms: the device's clock less the event's time on
 * the viewer's and the difference of the two. NaN where that cannot be: below −5 ms or beyond a minute the
 * clocks disagree. What little is below 0 is as it was measured.
 */
export function eventLatencyMs(event: {
  readonly nowMs: number;
  readonly timestampMs: number;
  readonly offsetMs: number;
}): number {
  const latencyMs = event.nowMs - (event.timestampMs + event.offsetMs);
  return latencyMs >= latencyFloorMs && latencyMs <= latencyCeilingMs ? latencyMs : Number.NaN;
}

/** Latencies since the start as a histogram, and of the last events as percentiles. Fixed memory. */
export class LatencyRecord {
  readonly #counts = new Float64Array(boundsSeconds.length);
  readonly #last = new Float64Array(lastEvents);
  #count = 0;
  #sumSeconds = 0;

  /** Counts one; NaN is none. Below 0 it counts as 0. */
  add(latencyMs: number): void {
    if (Number.isNaN(latencyMs)) return;
    const seconds = Math.max(latencyMs, 0) / 1_000;
    const bucket = boundsSeconds.findIndex((bound) => seconds <= bound);
    if (bucket >= 0) this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#last[this.#count % lastEvents] = Math.max(latencyMs, 0);
    this.#count += 1;
    this.#sumSeconds += seconds;
  }

  histogram(): LatencyHistogram {
    let below = 0;
    const counts = Array.from(this.#counts, (count) => {
      below += count;
      return below;
    });
    return { boundsSeconds, counts, count: this.#count, sumSeconds: this.#sumSeconds };
  }

  /** Of the last 512, to a tenth of a ms; null when there was none. */
  summary(): HidLatency | null {
    const count = Math.min(this.#count, lastEvents);
    if (count === 0) return null;
    const sorted = this.#last.slice(0, count).sort();
    const at = (quantile: number) => tenths(sorted[Math.ceil(quantile * count) - 1] ?? 0);
    return { p50: at(0.5), p95: at(0.95), max: at(1) };
  }
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
