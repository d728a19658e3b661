/** Chromium with DTX sends a packet every 400 ms at least; who sends none for so long is gone. */
const silenceMs = 1_000;

export interface FrameWatchOptions {
  /** Monotonic clock in ms. */
  readonly nowMs: () => number;
  readonly unixMs: () => number;
  readonly onChange: (arriving: boolean) => void;
}

/** Whether the holder's packets arrive: one came within the last second. */
export class FrameWatch {
  readonly #options: FrameWatchOptions;
  #arriving = false;
  #drops = 0;
  #lastFrameMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: FrameWatchOptions) {
    this.#options = options;
  }

  get arriving(): boolean {
    return this.#arriving;
  }

  /** Times packets stopped coming. */
  get drops(): number {
    return this.#drops;
  }

  /** When the last packet came, Unix time in ms; 0 before the first. */
  get lastFrameUnixMs(): number {
    if (this.#lastFrameMs === undefined) return 0;
    const { nowMs, unixMs } = this.#options;
    return Math.round(unixMs() - (nowMs() - this.#lastFrameMs));
  }

  /** A packet came. Per packet: two assignments; a timer only for the first. */
  note(nowMs: number): void {
    this.#lastFrameMs = nowMs;
    if (this.#arriving) return;
    this.#arriving = true;
    this.#watch(silenceMs);
    this.#options.onChange(true);
  }

  /** Nobody's packets are waited for any more, or another's: that is no drop. */
  restart(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#arriving = false;
  }

  #watch(inMs: number): void {
    this.#timer = setTimeout(() => this.#look(), inMs);
    this.#timer.unref();
  }

  #look(): void {
    const leftMs = (this.#lastFrameMs ?? 0) + silenceMs - this.#options.nowMs();
    if (leftMs > 0) {
      this.#watch(leftMs);
      return;
    }
    this.#arriving = false;
    this.#drops += 1;
    this.#options.onChange(false);
  }
}
