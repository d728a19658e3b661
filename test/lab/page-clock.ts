import type { Page } from 'playwright-core';

const tries = 40;

/**
 * What to add to a time of the page (`performance.timeOrigin + performance.now()`) for one of this process's
 * `performance.now()`, and how far it may be off: half of the quickest of many round trips. In ms.
 */
export async function pageClockOffset(
  page: Page,
): Promise<{ readonly offsetMs: number; readonly errorMs: number }> {
  let best = { offsetMs: 0, errorMs: Number.POSITIVE_INFINITY };
  for (let n = 0; n < tries; n += 1) {
    const askedMs = performance.now();
    const pageMs = Number(await page.evaluate('performance.timeOrigin + performance.now()'));
    const answeredMs = performance.now();
    const errorMs = (answeredMs - askedMs) / 2;
    if (errorMs < best.errorMs) best = { offsetMs: askedMs + errorMs - pageMs, errorMs };
  }
  return best;
}
