import type { ReceivedCounts } from '../../lab/node-viewer.ts';
import { round } from '../bench.ts';

/** What had reached a viewer at a time, ms of one steady clock. */
export interface Snapshot extends ReceivedCounts {
  readonly atMs: number;
}

/** What reaches a viewer. */
export interface Rates {
  readonly soundPacketsPerS: number;
  readonly videoPacketsPerS: number;
  /** Whole ones. */
  readonly picturesPerS: number;
  readonly videoKbps: number;
}

export function ratesBetween(before: Snapshot, after: Snapshot): Rates {
  const seconds = (after.atMs - before.atMs) / 1_000;
  const perSecond = (name: keyof ReceivedCounts): number =>
    round((after[name] - before[name]) / seconds);
  return {
    soundPacketsPerS: perSecond('soundPackets'),
    videoPacketsPerS: perSecond('videoPackets'),
    picturesPerS: perSecond('pictures'),
    videoKbps: round((perSecond('videoBytes') * 8) / 1_000),
  };
}

/** The least that a viewer must receive to be counted as one. */
export type LeastRates = Omit<Rates, 'videoKbps'>;

/**
 * Throws when one of the viewers received less, and says what each received: what is measured with it would
 * be the cost of fewer viewers.
 */
export function assertReceived(viewers: readonly Rates[], least: LeastRates): void {
  const isShort = (rates: Rates): boolean =>
    // Negated, so that what is no number is short.
    !(
      rates.soundPacketsPerS >= least.soundPacketsPerS &&
      rates.videoPacketsPerS >= least.videoPacketsPerS &&
      rates.picturesPerS >= least.picturesPerS
    );
  const short = viewers.filter(isShort).length;
  if (short === 0) return;
  const lines = viewers.map((rates, n) => `viewer ${n}: ${JSON.stringify(rates)}`);
  throw new Error(
    `${short} of ${viewers.length} viewers received less than ${JSON.stringify(least)}:\n${lines.join('\n')}`,
  );
}
