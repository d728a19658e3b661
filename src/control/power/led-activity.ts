/** Of an LED that blinks: the share of the time that it is lit, second by second. */
export class LedActivity {
  #lit: boolean;
  #sinceNs: bigint;
  #startNs: bigint;
  #litNs = 0n;

  constructor(lit: boolean, nowNs: bigint) {
    this.#lit = lit;
    this.#sinceNs = nowNs;
    this.#startNs = nowNs;
  }

  /** It changed. */
  set(lit: boolean, nowNs: bigint): void {
    if (this.#lit) this.#litNs += nowNs - this.#sinceNs;
    this.#lit = lit;
    this.#sinceNs = nowNs;
  }

  /** Ends a window: its share, 0–1, in hundredths; a window of no length has none. */
  read(nowNs: bigint): number {
    this.set(this.#lit, nowNs);
    const lengthNs = nowNs - this.#startNs;
    const share =
      lengthNs === 0n ? 0 : Number((this.#litNs * 100n + lengthNs / 2n) / lengthNs) / 100;
    this.#startNs = nowNs;
    this.#litNs = 0n;
    return share;
  }
}

/** How often it is read, in ms. */
export const activityWindowMs = 1_000;
