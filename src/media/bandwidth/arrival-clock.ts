const unitMs = 64;
/** Feedback may overtake feedback. */
const mostBackMs = 1_000;
/** How far the viewer's clock may run ahead of ours between two feedbacks, with what was held up on the way. */
const mostAheadMs = 5_000;
/** So many refused in a row are not a lie: the viewer has another clock now. */
const refusedInARow = 16;

/**
 * The viewer's clock as its feedback tells it: takes out the wraps of the 24 bit reference time
 * (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1), and refuses what no clock does.
 */
export class ArrivalClock {
  #reference = 0;
  #nowMs = Number.NaN;
  #refused = 0;
  /** The clock last read has nothing to do with the one before. */
  restarted = false;

  /** Time of the reference on the viewer's clock, in ms, or undefined when it went back or ran away. */
  read(referenceTime: number, nowMs: number): number | undefined {
    this.restarted = false;
    if (Number.isNaN(this.#nowMs)) return this.#begin(referenceTime, nowMs);
    const step = ((referenceTime - this.#reference) << 8) >> 8;
    const stepMs = step * unitMs;
    const possible = stepMs >= -mostBackMs && stepMs <= nowMs - this.#nowMs + mostAheadMs;
    if (!possible) {
      this.#refused += 1;
      return this.#refused < refusedInARow ? undefined : this.#begin(referenceTime, nowMs);
    }
    this.#refused = 0;
    const reference = this.#reference + step;
    if (step >= 0) {
      this.#reference = reference;
      this.#nowMs = nowMs;
    }
    return reference * unitMs;
  }

  #begin(referenceTime: number, nowMs: number): number {
    this.restarted = true;
    this.#refused = 0;
    this.#reference = referenceTime;
    this.#nowMs = nowMs;
    return referenceTime * unitMs;
  }
}
