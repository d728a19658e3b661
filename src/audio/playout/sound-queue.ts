/** Sound that stays readable behind the newest sample: what concealment looks at, and the resampler's reach. */
const historySamples = 2_048;
/** Samples per channel: history, what waits to be given out, and the longest block, with room so that it is seldom moved. */
const capacity = 32_768;
/** Enough for all blocks that can wait at once, each with a stretch in it. A power of two. */
const marks = 128;
const samplesPerUs = 0.048;

/**
 * Stereo sound at 48 kHz between where blocks are put together and where it is given out, planar and in
 * one piece, with its past and with when it was captured. Samples are moved to the front once in about
 * half a second; allocates nothing.
 *
 * INVARIANT: positions only grow: a sample's position is its number since the queue began.
 */
export class SoundQueue {
  readonly left = new Float32Array(capacity);
  readonly right = new Float32Array(capacity);
  /** Index of the sample to be given out next. */
  #at = historySamples;
  /** Index behind the last sample. */
  #end = historySamples;
  /** Position of index 0. */
  #base = 0;
  /** From which position on which capture time holds (µs; −1: unknown), newest last, in a ring. */
  readonly #markAt = new Float64Array(marks).fill(Number.NEGATIVE_INFINITY);
  readonly #markUs = new Float64Array(marks).fill(-1);
  #mark = 0;

  /** Index of the sample to be given out next. */
  get at(): number {
    return this.#at;
  }

  /** Index behind the last sample: where the next block is written, of at most 8,192 samples, after `makeRoom`. */
  get end(): number {
    return this.#end;
  }

  /** Samples not given out yet. */
  get waiting(): number {
    return this.#end - this.#at;
  }

  /** To be called before a block is written at `end`. Moves indices, not positions. */
  makeRoom(samples: number): void {
    if (this.#end + samples <= capacity) return;
    const from = Math.min(this.#at, this.#end) - historySamples;
    this.left.copyWithin(0, from, this.#end);
    this.right.copyWithin(0, from, this.#end);
    this.#at -= from;
    this.#end -= from;
    this.#base += from;
  }

  /** The block written at `end` counts. */
  grow(samples: number): void {
    this.#end += samples;
  }

  growSilent(samples: number): void {
    this.makeRoom(samples);
    this.left.fill(0, this.#end, this.#end + samples);
    this.right.fill(0, this.#end, this.#end + samples);
    this.#end += samples;
  }

  /** So many samples were given out. */
  advance(samples: number): void {
    this.#at += samples;
  }

  /** Takes back what is not given out, but for the next `keep` samples. */
  cut(keep: number): void {
    this.#end = Math.min(this.#end, this.#at + keep);
  }

  /** What is written next was captured from then on (µs; −1: it was not), `later` samples from now. */
  captured(captureTimeUs: number, later = 0): void {
    const position = this.#base + this.#end + later;
    // What was taken back is not to be found.
    while ((this.#markAt[this.#mark] ?? 0) >= position) {
      this.#markAt[this.#mark] = Number.NEGATIVE_INFINITY;
      this.#mark = (this.#mark - 1) & (marks - 1);
    }
    if (captureTimeUs < 0 && (this.#markUs[this.#mark] ?? -1) < 0) return;
    this.#mark = (this.#mark + 1) & (marks - 1);
    this.#markAt[this.#mark] = position;
    this.#markUs[this.#mark] = captureTimeUs;
  }

  /** When the sample given out next was captured, µs; −1: unknown, or it was made up. `fraction`: how far on to the one after it. */
  captureTimeUs(fraction: number): number {
    const position = this.#base + this.#at;
    for (let back = 0; back < marks; back += 1) {
      const mark = (this.#mark - back) & (marks - 1);
      const at = this.#markAt[mark] ?? 0;
      if (at > position) continue;
      const us = this.#markUs[mark] ?? -1;
      return us < 0 || at < 0 ? -1 : us + (position - at + fraction) / samplesPerUs;
    }
    return -1;
  }
}
