/** Bounds of the delays {@link backoff} yields. */
export interface BackoffOptions {
  /** First delay in ms, before jitter. */
  readonly firstMs: number;
  /** No delay is longer, jitter included. */
  readonly maxMs: number;
  /** Share of each delay that is random, 0–1, so that many viewers do not return in step. */
  readonly jitter: number;
  /** A source of numbers in [0, 1). */
  readonly random: () => number;
}

/** Delays of the page's reconnects: 0.5 s, doubling to 10 s, a quarter of each random. */
export const reconnectBackoff = { firstMs: 500, maxMs: 10_000, jitter: 0.25 } as const;

/**
 * Delays in ms between tries, doubling from `firstMs` to `maxMs`; endless, so the caller decides
 * when to stop. Each lies in [(1 − jitter) · d, d] of its undithered delay d.
 */
export function* backoff({ firstMs, maxMs, jitter, random }: BackoffOptions): Generator<number> {
  for (let delayMs = Math.min(firstMs, maxMs); ; delayMs = Math.min(delayMs * 2, maxMs)) {
    yield Math.round(delayMs * (1 - jitter * random()));
  }
}
