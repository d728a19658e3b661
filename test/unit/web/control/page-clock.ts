interface Pending {
  readonly atMs: number;
  readonly action: () => void;
}

/** A page's clock that stands still until it is told, and timers that go by it. */
export class PageClock {
  #nowMs = 1_000;
  readonly #pending = new Set<Pending>();

  readonly nowMs = (): number => this.#nowMs;

  readonly later = (delayMs: number, action: () => void): (() => void) => {
    const pending = { atMs: this.#nowMs + delayMs, action };
    this.#pending.add(pending);
    return () => this.#pending.delete(pending);
  };

  /** Timers that wait. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Lets `ms` pass, and each timer run at its time. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const next = [...this.#pending].sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > endMs) break;
      this.#pending.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.action();
    }
    this.#nowMs = endMs;
  }
}
