/** What a viewer measured of one marker. */
export interface CalibrationResult {
  readonly marker: number;
  /** Displayed flash less played chirp, in ms; positive: the picture is late. */
  readonly offsetMs: number;
  /** What played the sound. */
  readonly lane: 'track' | 'fast';
  /** When it was reported, Unix time in ms. */
  readonly unixMs: number;
}

/** Flash and chirp further apart are of two markers, or of none (REFERENCE: matched within ±120 ms). */
const largestOffsetMs = 120;
const resultsKept = 64;
const viewersKept = 64;

/** Offsets that viewers reported, the newest of each, for the API. */
export class CalibrationHistory {
  readonly #results = new Map<string, CalibrationResult[]>();
  #ignored = 0;

  /** Results that could not be: beyond ±120 ms, no number, told before. */
  get ignored(): number {
    return this.#ignored;
  }

  /** Keeps a result; false when it cannot be one. The oldest make room: 64 a viewer, 64 viewers. */
  note(viewer: string, result: CalibrationResult): boolean {
    const results = this.#results.get(viewer) ?? [];
    const { marker, lane, offsetMs } = result;
    const isKnown = results.some((one) => one.marker === marker && one.lane === lane);
    if (isKnown || !(Math.abs(offsetMs) <= largestOffsetMs)) {
      this.#ignored += 1;
      return false;
    }
    results.push(result);
    if (results.length > resultsKept) results.shift();
    this.#results.delete(viewer);
    this.#results.set(viewer, results);
    const [oldest] = this.#results.keys();
    if (this.#results.size > viewersKept && oldest !== undefined) this.#results.delete(oldest);
    return true;
  }

  /** Oldest first. */
  results(viewer: string): readonly CalibrationResult[] {
    return [...(this.#results.get(viewer) ?? [])];
  }

  /** The middle one of a viewer's offsets on a lane, which one bad measurement does not move; undefined: none. */
  medianMs(viewer: string, lane: CalibrationResult['lane']): number | undefined {
    const offsets = this.results(viewer)
      .filter((result) => result.lane === lane)
      .map(({ offsetMs }) => offsetMs)
      .sort((a, b) => a - b);
    const middle = offsets.length / 2;
    const [low, high] = [offsets[Math.ceil(middle) - 1], offsets[Math.floor(middle)]];
    return low === undefined || high === undefined ? undefined : (low + high) / 2;
  }

  viewers(): readonly string[] {
    return [...this.#results.keys()];
  }

  /** A viewer left. */
  forget(viewer: string): void {
    this.#results.delete(viewer);
  }
}
