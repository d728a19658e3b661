import type { Stretch } from './playout-step.ts';

/** Off target by less than this is for the drift controller to mend. */
const leastOffMs = 5;
const offShare = 0.25;
/** Mended when this close: a cut is 2.5 ms at least. */
const mendedMs = 3;
/** At most one block in this time is stretched: 10 ms in 100 is hardly heard. */
const calmEveryMs = 100;
/** Further off than this, delay (or what is about to be missing) is worse than what is heard. */
const urgentOffMs = 40;
const urgentEveryMs = 40;

/**
 * When to play a block faster or slower: with hysteresis, and not in every block. A hint that was not
 * followed, because the sound had no place for it, is given again with the next block.
 */
export class StretchHint {
  readonly #leastOffMs: number;
  #mending: Stretch = 'none';
  #hintedOffMs = 0;
  #hinted = false;
  #quietUntilMs = Number.NEGATIVE_INFINITY;

  constructor({ minTargetMs }: { minTargetMs: number }) {
    this.#leastOffMs = Math.max(leastOffMs, minTargetMs);
  }

  /** For the block about to be played; `offMs`: how much longer than the target its delay is. */
  for(nowMs: number, { offMs, targetMs }: { offMs: number; targetMs: number }): Stretch {
    const urgent = Math.abs(offMs) > urgentOffMs;
    if (this.#hinted && Math.abs(offMs - this.#hintedOffMs) > 1) {
      this.#quietUntilMs = nowMs + (urgent ? urgentEveryMs : calmEveryMs);
    }
    this.#hinted = false;
    this.#mending = this.#next(offMs, Math.max(this.#leastOffMs, targetMs * offShare));
    if (this.#mending === 'none' || nowMs < this.#quietUntilMs) return 'none';
    this.#hinted = true;
    this.#hintedOffMs = offMs;
    return this.#mending;
  }

  #next(offMs: number, tooFarMs: number): Stretch {
    if (offMs > tooFarMs) return 'shorten';
    if (offMs < -tooFarMs) return 'lengthen';
    if (this.#mending === 'shorten' && offMs > mendedMs) return 'shorten';
    if (this.#mending === 'lengthen' && offMs < -mendedMs) return 'lengthen';
    return 'none';
  }
}
