/** Share of a viewer's bandwidth that the picture may have: the rest is for sound, repeats and surprises. */
export const pictureShare = 0.65;
/** What software VP8 is good for. */
export const defaultMaxKbps = 1_800;
/** At most five changes a second. */
const changeEveryMs = 200;
/** Changes smaller than this share are not worth disturbing the encoder for. */
const leastChange = 0.03;

export interface VideoRateOptions {
  /** Config `video.minKbps`. 500 by default. */
  readonly minKbps?: number;
  /** Config `video.maxKbps`: what is used where nobody's bandwidth is known. 1,800 by default. */
  readonly maxKbps?: number;
}

/**
 * The one bitrate of the picture that all viewers get: 65 % of the bandwidth of the viewer with the least,
 * clamped to the board's range. It changes at most five times a second, and not for less than 3 %. Pure: time comes in with the calls.
 */
export class VideoRate {
  readonly #minKbps: number;
  readonly #maxKbps: number;
  #kbps: number;
  #changedMs = Number.NEGATIVE_INFINITY;

  /** Throws a RangeError when the range is empty or not above zero. */
  constructor({ minKbps = 500, maxKbps = defaultMaxKbps }: VideoRateOptions = {}) {
    if (!(minKbps > 0 && minKbps <= maxKbps)) {
      throw new RangeError(
        `video bitrate range ${minKbps}–${maxKbps} kbps; 0 < min ≤ max is allowed`,
      );
    }
    this.#minKbps = minKbps;
    this.#maxKbps = maxKbps;
    this.#kbps = maxKbps;
  }

  /** What the encoder is to be set to, in kbps. */
  get kbps(): number {
    return this.#kbps;
  }

  /**
   * Takes what every viewer's path carries, in bit/s; undefined for one that gives no feedback, which is
   * as if it were not there. Returns the new bitrate in kbps when the encoder is to be changed.
   */
  update(targetsBps: Iterable<number | undefined>, nowMs: number): number | undefined {
    if (nowMs - this.#changedMs < changeEveryMs) return undefined;
    const kbps = this.#wanted(targetsBps);
    const isBound = kbps === this.#minKbps || kbps === this.#maxKbps;
    const change = Math.abs(kbps - this.#kbps);
    if (change === 0 || (!isBound && change < leastChange * this.#kbps)) return undefined;
    this.#kbps = kbps;
    this.#changedMs = nowMs;
    return kbps;
  }

  #wanted(targetsBps: Iterable<number | undefined>): number {
    let leastBps = Number.POSITIVE_INFINITY;
    for (const targetBps of targetsBps) {
      if (targetBps !== undefined && targetBps < leastBps) leastBps = targetBps;
    }
    const kbps = Math.round((leastBps * pictureShare) / 1_000);
    return Math.min(Math.max(kbps, this.#minKbps), this.#maxKbps);
  }
}
