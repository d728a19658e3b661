/**
 * Who waits for settings to be in force: a thread of the addon takes them one generation after another
 * and tells the newest it has taken.
 */
export class AppliedSettings {
  readonly #waiting = new Map<number, () => void>();
  #reached = 0;

  /** Resolves when that generation or a newer one is reached, or at the end. */
  wait(generation: number): Promise<void> {
    if (generation <= this.#reached) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.set(generation, resolve);
    });
  }

  reach(generation: number): void {
    if (generation === this.#reached) return;
    this.#reached = generation;
    for (const [waiting, resolve] of this.#waiting) {
      if (waiting > generation) continue;
      this.#waiting.delete(waiting);
      resolve();
    }
  }

  /** Nothing is taken any more: nobody waits in vain. */
  end(): void {
    this.reach(Number.POSITIVE_INFINITY);
  }
}
