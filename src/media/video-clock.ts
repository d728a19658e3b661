/** RTP time units a second of video (RFC 7741 §5, RFC 6184 §5.1). */
export const videoClockRate = 90_000;

/** A capture time that goes back by more than this is of another clock or source, not jitter. */
const maxBackNs = 1_000_000_000n;
/** What lies between two pictures when nobody knows: 1/30 s. */
const frameUnits = 3_000;

/**
 * The RTP clock of the picture: 90 kHz from the capture times, strictly growing, since two pictures
 * of one timestamp would be one picture to a receiver. Pictures come when they come, so a gap needs
 * no rule: its time simply passes.
 */
export class VideoClock {
  /** The capture time at which the timestamp is 0. */
  #originNs: bigint | undefined;
  #last = -1;

  /** The timestamp that a picture of that capture time would have by now; undefined before the first one. */
  of(captureTimeNs: bigint): number | undefined {
    return this.#originNs === undefined ? undefined : unitsOf(captureTimeNs - this.#originNs);
  }

  /** The timestamp of the next picture: since the stream began, without wrapping. */
  at(captureTimeNs: bigint): number {
    this.#originNs ??= captureTimeNs;
    const timestamp = unitsOf(captureTimeNs - this.#originNs);
    const lastNs = this.#originNs + nsOf(this.#last);
    if (lastNs - captureTimeNs > maxBackNs) {
      this.#last += frameUnits;
      this.#originNs = captureTimeNs - nsOf(this.#last);
    } else {
      this.#last = Math.max(this.#last + 1, timestamp);
    }
    return this.#last;
  }
}

function unitsOf(ns: bigint): number {
  return Math.round((Number(ns / 1_000n) * videoClockRate) / 1e6);
}

function nsOf(units: number): bigint {
  return (BigInt(units) * 1_000_000_000n) / BigInt(videoClockRate);
}
