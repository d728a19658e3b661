/** Share of a new measurement in the mean: about the last second of packets. */
const share = 1 / 32;
/** What came later than this was held up, and says nothing of the usual way. */
const longestNs = 2_000_000_000n;

/** How long after its capture a live stream usually gets here: the mean over its last packets or pictures. */
export class LiveLag {
  #meanNs: number | undefined;

  /** Of the first sample of a packet, or of a picture; 0 before the first. */
  get ns(): bigint {
    return BigInt(Math.round(this.#meanNs ?? 0));
  }

  note(captureTimeNs: bigint, nowNs: bigint): void {
    const lagNs = nowNs - captureTimeNs;
    if (lagNs < 0n || lagNs > longestNs) return;
    const lag = Number(lagNs);
    this.#meanNs = this.#meanNs === undefined ? lag : this.#meanNs + (lag - this.#meanNs) * share;
  }
}
