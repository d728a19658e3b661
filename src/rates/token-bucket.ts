/** A token bucket: `burst` at once, `perSecond` in the long run. Times are milliseconds of any steady clock. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #atMs: number;

  constructor(options: {
    readonly perSecond: number;
    readonly burst: number;
    readonly nowMs: number;
  }) {
    this.#perMs = options.perSecond / 1_000;
    this.#burst = options.burst;
    this.#tokens = options.burst;
    this.#atMs = options.nowMs;
  }

  /** Whether there is a token. */
  holds(nowMs: number): boolean {
    this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
    return this.#tokens >= 1;
  }

  /** Takes one token; false when there is none. */
  take(nowMs: number): boolean {
    if (!this.holds(nowMs)) return false;
    this.#tokens -= 1;
    return true;
  }
}
