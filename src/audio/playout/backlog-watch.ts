/** Sound beyond the target is a backlog from here on, in ms; less is played a little faster. */
export const backlogMs = 60;
/** A backlog for so long while it plays, and the sound has no place to be cut. */
const patienceMs = 1_000;

/** Says when a delay that is a backlog beyond its target has to be skipped, since nothing else takes it away. */
export class BacklogWatch {
  /** Infinity: there is none. −Infinity: there is no room for it. */
  #sinceMs = Number.POSITIVE_INFINITY;

  /** The delay is so much longer than the target now. */
  note(offMs: number, nowMs: number): void {
    if (offMs <= backlogMs) this.#sinceMs = Number.POSITIVE_INFINITY;
    else this.#sinceMs = Math.min(this.#sinceMs, nowMs);
  }

  /** Sound had to be dropped for want of room. */
  noRoom(): void {
    this.#sinceMs = Number.NEGATIVE_INFINITY;
  }

  isOverdue(nowMs: number): boolean {
    return nowMs - this.#sinceMs > patienceMs;
  }

  /** It was skipped, or nothing plays any more. */
  forget(): void {
    this.#sinceMs = Number.POSITIVE_INFINITY;
  }
}
