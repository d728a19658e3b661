/**
 * Ties flashes and chirps to each other and to the device's markers. Pure: times are
 * `performance.now()` ms and come in with the calls.
 */

/** A flash and a chirp of one marker are not further apart. */
export const matchMs = 120;

/** From the device's word of a marker until it is seen and heard, at most; and the word may be later by so much. */
const markerAheadMs = 1_500;
const markerBehindMs = 500;

/** Kept of each kind: markers come every second or so. */
const keptMax = 8;

/** One marker measured. */
export interface MarkerOffset {
  readonly marker: number;
  /** Displayed flash less played chirp; positive: the picture is late. */
  readonly offsetMs: number;
  /** The later of the two. */
  readonly atMs: number;
}

interface Pair {
  readonly offsetMs: number;
  readonly atMs: number;
}

export class MarkerMatcher {
  #flashes: number[] = [];
  #chirps: number[] = [];
  #pairs: Pair[] = [];
  #markers: { readonly marker: number; readonly atMs: number }[] = [];
  #loneFlashes = 0;
  #loneChirps = 0;
  #paired = 0;

  /** What had no counterpart so far, and pairs found. */
  get counts(): {
    readonly paired: number;
    readonly loneFlashes: number;
    readonly loneChirps: number;
  } {
    return { paired: this.#paired, loneFlashes: this.#loneFlashes, loneChirps: this.#loneChirps };
  }

  /** The device said that it put a marker in, at `atMs`. */
  marker(marker: number, atMs: number): MarkerOffset[] {
    this.#markers = [...this.#markers, { marker, atMs }].slice(-keptMax);
    return this.#tie();
  }

  flash(atMs: number): MarkerOffset[] {
    this.#flashes.push(atMs);
    return this.#pair();
  }

  chirp(atMs: number): MarkerOffset[] {
    this.#chirps.push(atMs);
    return this.#pair();
  }

  /** Gives up on what is older than any counterpart could be, at `nowMs`; both are known some time after they happened. */
  expire(nowMs: number, knownWithinMs = 500): void {
    const oldestMs = nowMs - matchMs - knownWithinMs;
    const flashes = this.#flashes.filter((atMs) => atMs >= oldestMs);
    const chirps = this.#chirps.filter((atMs) => atMs >= oldestMs);
    this.#loneFlashes += this.#flashes.length - flashes.length;
    this.#loneChirps += this.#chirps.length - chirps.length;
    this.#flashes = flashes;
    this.#chirps = chirps;
    this.#pairs = this.#pairs.filter(({ atMs }) => nowMs - atMs <= markerBehindMs + knownWithinMs);
  }

  #pair(): MarkerOffset[] {
    for (const flashMs of this.#flashes) {
      const chirpMs = nearest(this.#chirps, flashMs);
      if (chirpMs === undefined || Math.abs(flashMs - chirpMs) > matchMs) continue;
      this.#flashes = this.#flashes.filter((atMs) => atMs !== flashMs);
      this.#chirps = this.#chirps.filter((atMs) => atMs !== chirpMs);
      const pair = { offsetMs: flashMs - chirpMs, atMs: Math.max(flashMs, chirpMs) };
      this.#pairs = [...this.#pairs, pair].slice(-keptMax);
      this.#paired += 1;
    }
    return this.#tie();
  }

  /** Each pair takes the newest marker that was put in before it. */
  #tie(): MarkerOffset[] {
    const tied: MarkerOffset[] = [];
    for (const pair of this.#pairs) {
      const found = this.#markers.findLast(
        ({ atMs }) => pair.atMs - atMs <= markerAheadMs && atMs - pair.atMs <= markerBehindMs,
      );
      if (found === undefined) continue;
      this.#pairs = this.#pairs.filter((other) => other !== pair);
      // What is older was missed.
      this.#markers = this.#markers.filter(({ atMs }) => atMs > found.atMs);
      tied.push({ marker: found.marker, ...pair });
    }
    return tied;
  }
}

function nearest(times: readonly number[], toMs: number): number | undefined {
  let best: number | undefined;
  for (const time of times) {
    if (best === undefined || Math.abs(time - toMs) < Math.abs(best - toMs)) best = time;
  }
  return best;
}
