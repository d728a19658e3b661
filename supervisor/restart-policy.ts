/** How often and how soon a child that crashed is started again. */
export interface RestartPolicyOptions {
  /** The crash within the window at which the child is given up. */
  readonly maxCrashes: number;
  /** Length of that window in ms. */
  readonly windowMs: number;
  /** Delay after the first crash in ms; doubled by each further one of the window. */
  readonly baseMs: number;
  /** Longest delay in ms. */
  readonly maxMs: number;
  /** Part of a delay, 0–1, that chance may take off, so that children do not restart in step. */
  readonly jitter: number;
}

/** 5 crashes within 5 minutes; 1 s × 2ⁿ, at most 30 s, up to a quarter less. */
export const defaultRestartPolicy: RestartPolicyOptions = {
  maxCrashes: 5,
  windowMs: 5 * 60_000,
  baseMs: 1_000,
  maxMs: 30_000,
  jitter: 0.25,
};

/** A clock in ms and a source of numbers in [0, 1), passed in so that tests own them. */
export interface PolicySources {
  readonly now: () => number;
  readonly random: () => number;
}

/** The delay after the `crashes`-th crash of the window, in ms. `random` is in [0, 1). */
export function backoffMs(options: RestartPolicyOptions, crashes: number, random: number): number {
  const full = Math.min(options.maxMs, options.baseMs * 2 ** (crashes - 1));
  return Math.round(full * (1 - options.jitter * random));
}

/** Remembers the crashes of one child. Exits that were asked for are not reported to it. */
export class RestartPolicy {
  readonly #options: RestartPolicyOptions;
  readonly #sources: PolicySources;
  #crashes: number[] = [];

  constructor(options: RestartPolicyOptions, sources: PolicySources) {
    this.#options = options;
    this.#sources = sources;
  }

  /** Notes a crash; returns the delay before the next start in ms, or undefined to give up. */
  crashed(): number | undefined {
    const now = this.#sources.now();
    this.#crashes = this.#crashes.filter((at) => now - at < this.#options.windowMs);
    this.#crashes.push(now);
    if (this.#crashes.length >= this.#options.maxCrashes) return undefined;
    return backoffMs(this.#options, this.#crashes.length, this.#sources.random());
  }

  /** Forgets every crash: a person, or a new device, asked for another try. */
  reset(): void {
    this.#crashes = [];
  }
}
