import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuPercent, type ProcessUsage, sampleProcess } from './process-stats.ts';

export interface UsageWatchOptions {
  readonly pid: number;
  readonly intervalMs: number;
  readonly onUsage: (usage: ProcessUsage) => void;
  /** Ends the watch. */
  readonly signal: AbortSignal;
}

/** Reports what a process uses, once at the start and then at each interval, until the signal or its end. */
export async function watchUsage({
  pid,
  intervalMs,
  onUsage,
  signal,
}: UsageWatchOptions): Promise<void> {
  let before = await sampleProcess(pid);
  let beforeMs = performance.now();
  if (before === undefined || signal.aborted) return;
  onUsage({ cpuPercent: 0, rssBytes: before.rssBytes });
  for (;;) {
    try {
      await sleep(intervalMs, undefined, { signal });
    } catch {
      return;
    }
    const after = await sampleProcess(pid);
    const afterMs = performance.now();
    if (after === undefined || signal.aborted) return;
    onUsage({
      cpuPercent: cpuPercent(before, after, afterMs - beforeMs),
      rssBytes: after.rssBytes,
    });
    before = after;
    beforeMs = afterMs;
  }
}
