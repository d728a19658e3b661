export interface KeyframeRequestsOptions {
  /** How far apart two keyframes are at least, in ms. */
  readonly spacingMs: number;
  readonly nowMs: () => number;
  /** Asks for one; called at most once in that time. */
  readonly onRequest: () => void;
}

/**
 * Many viewers ask for keyframes, and one serves them all: the first request goes through, those that come
 * in the time after it become one at its end. None is forgotten.
 */
export class KeyframeRequests {
  readonly #options: KeyframeRequestsOptions;
  #nextMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: KeyframeRequestsOptions) {
    this.#options = options;
  }

  request(): void {
    if (this.#timer !== undefined) return;
    const waitMs = this.#nextMs - this.#options.nowMs();
    if (waitMs <= 0) {
      this.#ask();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#ask();
    }, waitMs);
    this.#timer.unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #ask(): void {
    this.#nextMs = this.#options.nowMs() + this.#options.spacingMs;
    this.#options.onRequest();
  }
}
