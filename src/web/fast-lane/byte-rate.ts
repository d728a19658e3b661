/** Over how long a rate is taken. */
const windowMs = 1_000;

interface Total {
  readonly atMs: number;
  readonly bytes: number;
}

/** Bitrate over the last second. */
export class ByteRate {
  #bytes = 0;
  #totals: Total[] = [];

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  /** kbit/s up to now; 0 the first time. Asked a few times a second: the window begins at one of these times. */
  kbps(nowMs: number): number {
    while ((this.#totals[1]?.atMs ?? Number.POSITIVE_INFINITY) <= nowMs - windowMs) {
      this.#totals.shift();
    }
    this.#totals.push({ atMs: nowMs, bytes: this.#bytes });
    const first = this.#totals[0];
    if (first === undefined || nowMs <= first.atMs) return 0;
    return ((this.#bytes - first.bytes) * 8) / (nowMs - first.atMs);
  }
}
