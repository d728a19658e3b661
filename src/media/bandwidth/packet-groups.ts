/** Packets sent within it are one burst, and so are those that come within it of each other, faster than they were sent (draft-ietf-rmcat-gcc-02 §5.2). */
const burstMs = 5;
/** A burst of bursts ends here. */
const longestMs = 100;
/** Over a pause so long nothing can be said about the queue. */
const longestGapMs = 3_000;
/** So many groups in a row that come before their predecessor: the clock was changed. */
const backwardsInARow = 3;

/**
 * Puts packets into groups sent together, and says how much later than the group before a whole group came:
 * d(i) = (t(i) − t(i−1)) − (T(i) − T(i−1)), draft-ietf-rmcat-gcc-02 §5.1. Allocates nothing.
 */
export class PacketGroups {
  #firstSentMs = Number.NaN;
  #firstArrivedMs = 0;
  #sentMs = 0;
  #arrivedMs = 0;
  #previousSentMs = Number.NaN;
  #previousArrivedMs = 0;
  #backwards = 0;
  /** Of the group last completed: d(i), when it came, and the time since the one before. */
  deltaMs = 0;
  completedMs = 0;
  intervalMs = 0;

  /** Takes a packet in the order of sending. True when that completed a group and there is a `deltaMs`. */
  add(sentMs: number, arrivedMs: number): boolean {
    if (Number.isNaN(this.#firstSentMs)) {
      this.#begin(sentMs, arrivedMs);
      return false;
    }
    if (sentMs < this.#firstSentMs) return false;
    if (this.#belongs(sentMs, arrivedMs)) {
      this.#sentMs = Math.max(this.#sentMs, sentMs);
      this.#arrivedMs = Math.max(this.#arrivedMs, arrivedMs);
      return false;
    }
    const isMeasured = this.#complete();
    this.#begin(sentMs, arrivedMs);
    return isMeasured;
  }

  restart(): void {
    this.#firstSentMs = Number.NaN;
    this.#previousSentMs = Number.NaN;
    this.#backwards = 0;
  }

  #begin(sentMs: number, arrivedMs: number): void {
    this.#firstSentMs = sentMs;
    this.#firstArrivedMs = arrivedMs;
    this.#sentMs = sentMs;
    this.#arrivedMs = arrivedMs;
  }

  #belongs(sentMs: number, arrivedMs: number): boolean {
    if (sentMs - this.#firstSentMs <= burstMs) return true;
    const apartMs = arrivedMs - this.#arrivedMs;
    return (
      apartMs <= burstMs &&
      apartMs < sentMs - this.#sentMs &&
      arrivedMs - this.#firstArrivedMs < longestMs &&
      // Arrivals may be lies: without this a clock set back would be one group for ever.
      sentMs - this.#firstSentMs < longestMs
    );
  }

  #complete(): boolean {
    const sentMs = this.#sentMs - this.#previousSentMs;
    const arrivedMs = this.#arrivedMs - this.#previousArrivedMs;
    const isFirst = Number.isNaN(this.#previousSentMs);
    this.#backwards = !isFirst && arrivedMs < 0 ? this.#backwards + 1 : 0;
    // Out of order: measured against the same predecessor again, unless it goes on so.
    if (this.#backwards > 0 && this.#backwards < backwardsInARow) return false;
    const isMeasured =
      !isFirst && this.#backwards === 0 && sentMs < longestGapMs && arrivedMs < longestGapMs;
    this.#backwards = 0;
    this.#previousSentMs = this.#sentMs;
    this.#previousArrivedMs = this.#arrivedMs;
    this.deltaMs = arrivedMs - sentMs;
    this.completedMs = this.#arrivedMs;
    this.intervalMs = sentMs;
    return isMeasured;
  }
}
