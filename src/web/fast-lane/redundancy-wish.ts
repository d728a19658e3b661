/** Packets since the lane began. */
export interface LossCounts {
  /** That came by themselves. */
  readonly received: number;
  /** That came only with the packet after them. */
  readonly recovered: number;
  /** That came neither way. */
  readonly lost: number;
}

/** Share of the packets whose loss turns redundancy on, over the last five seconds. */
const troubleShare = 0.005;
const windowMs = 5_000;

/** How long nothing must be lost before it is turned off. */
const calmMs = 30_000;

interface Sample {
  readonly atMs: number;
  readonly all: number;
  readonly missed: number;
}

/**
 * Decides whether each packet should carry the one before it: on when more than 0.5 % of the last five
 * seconds' packets did not come by themselves, off after thirty seconds in which all did.
 */
export class RedundancyWish {
  #samples: Sample[] = [];
  #on = false;
  #calmSinceMs = Number.NEGATIVE_INFINITY;

  get isOn(): boolean {
    return this.#on;
  }

  /** Takes the counts as they are now (four times a second or so) and decides. Time must not go back. */
  update(nowMs: number, { received, recovered, lost }: LossCounts): boolean {
    const missed = recovered + lost;
    const last = this.#samples.at(-1);
    if (last !== undefined && missed > last.missed) this.#calmSinceMs = nowMs;
    // The newest one before the window stays: it is what the window begins with.
    while ((this.#samples[1]?.atMs ?? Number.POSITIVE_INFINITY) <= nowMs - windowMs) {
      this.#samples.shift();
    }
    this.#samples.push({ atMs: nowMs, all: received + missed, missed });
    if (this.#on) this.#on = nowMs - this.#calmSinceMs < calmMs;
    else this.#on = this.#missedShare() > troubleShare;
    return this.#on;
  }

  #missedShare(): number {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.all <= first.all) return 0;
    return (last.missed - first.missed) / (last.all - first.all);
  }
}
