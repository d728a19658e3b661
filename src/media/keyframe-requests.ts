/** The least time between two keyframes that are asked for: a storm of requests must not become one of keyframes. */
const intervalMs = 300;

/**
 * All wishes for a keyframe, in one: at most one in 300 ms however many ask, and none is forgotten:
 * one that comes too early is passed on at the end of the interval, unless a keyframe went to
 * everyone meanwhile.
 */
export class KeyframeRequests {
  readonly #nowMs: () => number;
  readonly #pass: () => void;
  #lastMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: { readonly nowMs: () => number; readonly pass: () => void }) {
    this.#nowMs = options.nowMs;
    this.#pass = options.pass;
  }

  request(): void {
    if (this.#timer !== undefined) return;
    const waitMs = this.#lastMs + intervalMs - this.#nowMs();
    if (waitMs <= 0) this.#passNow();
    else this.#timer = setTimeout(() => this.#passNow(), Math.ceil(waitMs));
  }

  /** A keyframe is about to go to every viewer: whoever waits for one has it. */
  answered(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Forgets what waits; idempotent. */
  stop(): void {
    this.answered();
  }

  #passNow(): void {
    this.#timer = undefined;
    this.#lastMs = this.#nowMs();
    this.#pass();
  }
}
