import { matchMs } from './marker-matcher.ts';

/** Below that nobody sees it, and the display's own pictures are no finer. */
const togetherMs = 15;

/** Of several measured offsets: the one in the middle, and how far the others are from it at most. */
export interface OffsetSummary {
  readonly medianMs: number;
  readonly spreadMs: number;
}

export function summaryOf(offsetsMs: readonly number[]): OffsetSummary | undefined {
  const sorted = offsetsMs.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) return undefined;
  const medianMs = sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
  const spreadMs = Math.max(...sorted.map((offset) => Math.abs(offset - medianMs)));
  return { medianMs, spreadMs };
}

/** E.g. `The picture is 42 ms behind the sound.` */
export function offsetWords({ medianMs }: OffsetSummary): string {
  const ms = Math.round(Math.abs(medianMs));
  if (ms <= togetherMs) return 'Picture and sound are together.';
  return `The picture is ${ms} ms ${medianMs > 0 ? 'behind' : 'ahead of'} the sound.`;
}

/** What a run that is over came to. */
export function outcomeWords(counts: {
  readonly measured: number;
  readonly loneFlashes: number;
  readonly loneChirps: number;
}): string {
  const { measured, loneFlashes, loneChirps } = counts;
  if (measured > 0) {
    const lone = loneFlashes + loneChirps;
    return lone === 0 ? '' : `${lone} more had no counterpart within ${matchMs} ms.`;
  }
  if (loneFlashes > 0 && loneChirps > 0) {
    return `Flashes and chirps came, but further apart than ${matchMs} ms.`;
  }
  if (loneFlashes > 0) return 'Flashes were seen, but no chirp was heard.';
  if (loneChirps > 0) return 'Chirps were heard, but no flash was seen.';
  return 'The device sent neither flash nor chirp.';
}
