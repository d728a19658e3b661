/** After success the next follows at once, as far as feedback allows; after failure ever later. */
const soonMs = 200;
const firstWaitMs = 1_500;
const longestWaitMs = 6_000;
const waitFactor = 2;
/** How much more than the target to offer: little where the limit may be near, more after it was not. */
const carefulFactor = 1.2;
const boldFactor = 1.6;
/** The path has to be quiet for so long after an overuse, and its queue that short. */
const quietMs = 1_500;
const shortQueueMs = 60;

/** When to look for more bandwidth. Pure: time comes in with the calls. */
export class ProbeSchedule {
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #waitMs = firstWaitMs;
  #factor = carefulFactor;

  /** How much more than the target the next one is to offer. */
  get factor(): number {
    return this.#factor;
  }

  isDue(path: { readonly nowMs: number; readonly queueMs: number; readonly decreasedMs: number }) {
    return (
      path.nowMs >= this.#notBeforeMs &&
      path.queueMs < shortQueueMs &&
      path.nowMs - path.decreasedMs >= quietMs
    );
  }

  succeeded(nowMs: number): void {
    this.#notBeforeMs = nowMs + soonMs;
    this.#waitMs = firstWaitMs;
    this.#factor = boldFactor;
  }

  failed(nowMs: number): void {
    this.#factor = carefulFactor;
    this.#notBeforeMs = nowMs + this.#waitMs;
    this.#waitMs = Math.min(this.#waitMs * waitFactor, longestWaitMs);
  }
}
