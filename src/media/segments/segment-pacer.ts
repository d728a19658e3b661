import type { ScheduledWrite } from './schedule.ts';
import type { SegmentTimers } from './segment-timers.ts';

/** A write that is later than this is a stall of the machine: what follows moves with it, as after a gap. */
const stallNs = 500_000_000n;

export interface PacedSegment {
  readonly writes: readonly ScheduledWrite[];
  readonly beginNs: bigint;
  /** Asked before each write; false ends it. */
  readonly goesOn: () => boolean;
  /** `captureTimeNs` is the deadline, whenever the write really happens. */
  readonly write: (write: ScheduledWrite, captureTimeNs: bigint) => void;
}

export interface Paced {
  /** The largest lateness of a write, in ms. */
  readonly slipMs: number;
  /** How much later than planned it ended, for stalls of the machine, in ns. */
  readonly stalledNs: bigint;
}

/** Writes the samples of segments at their deadlines, one segment at a time. */
export class SegmentPacer {
  readonly #timers: SegmentTimers;
  #wake: (() => void) | undefined;

  constructor(timers: SegmentTimers) {
    this.#timers = timers;
  }

  /** Ends the sleep under way, so that `goesOn` is asked at once. */
  interrupt(): void {
    this.#wake?.();
  }

  /** Resolves when all is written or it was ended. Rejects with what `write` throws. */
  async run({ writes, beginNs, goesOn, write }: PacedSegment): Promise<Paced> {
    let slipNs = 0n;
    let stalledNs = 0n;
    for (const next of writes) {
      const lateNs = await this.#reach(beginNs + stalledNs + next.offsetNs, goesOn);
      if (lateNs === undefined) break;
      if (lateNs > slipNs) slipNs = lateNs;
      if (lateNs > stallNs) stalledNs += lateNs;
      write(next, beginNs + stalledNs + next.offsetNs);
    }
    return { slipMs: Number(slipNs) / 1e6, stalledNs };
  }

  /** Sleeps until then; how late it is now, or undefined when it is to end. */
  async #reach(deadlineNs: bigint, goesOn: () => boolean): Promise<bigint | undefined> {
    while (goesOn()) {
      const leftNs = deadlineNs - this.#timers.nowNs();
      if (leftNs <= 0n) return -leftNs;
      await this.#sleep(Number(leftNs) / 1e6);
    }
    return undefined;
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        cancel();
        this.#wake = undefined;
        resolve();
      };
      const cancel = this.#timers.after(ms, finish);
      this.#wake = finish;
    });
  }
}
