import type { FastLaneNumbers } from './fast-lane/fast-lane.ts';
import type { StatsNumbers } from './stats.ts';

/** What is read of the fast lane's numbers; each is −1 where it is not known, and counters grow. */
export type FastLaneSnapshot = Pick<
  FastLaneNumbers,
  | 'received'
  | 'lost'
  | 'recovered'
  | 'concealedMs'
  | 'underrunMs'
  | 'levelMs'
  | 'bitrateKbps'
  | 'outputLatencyMs'
  | 'roundTripMs'
>;

/** A number that −1 stands for when it is not known. */
export function known(value: number): number | undefined {
  return value >= 0 && Number.isFinite(value) ? value : undefined;
}

/** `part` of `whole` as 0–100 %; undefined of nothing, and of counters that began again meanwhile. */
function percent(part: number, whole: number): number | undefined {
  return whole > 0 && part >= 0 && part <= whole ? (100 * part) / whole : undefined;
}

/**
 * What happened in `elapsedMs` between two snapshots, the older first, in the terms of the track:
 * a packet that redundancy brought back was lost on the way, and sound that was missing counts as
 * concealed.
 */
export function fastLaneBetween(
  before: FastLaneSnapshot,
  after: FastLaneSnapshot,
  elapsedMs: number,
): StatsNumbers {
  const lost = after.lost + after.recovered - before.lost - before.recovered;
  const received = after.received - before.received;
  const badMs = after.concealedMs + after.underrunMs - before.concealedMs - before.underrunMs;
  return {
    jitterBufferMs: known(after.levelMs),
    lossPercent: percent(lost, lost + received),
    concealedPercent: percent(badMs, Math.max(badMs, elapsedMs)),
    bitrateKbps: known(after.bitrateKbps),
    playoutMs: known(after.outputLatencyMs),
    roundTripMs: known(after.roundTripMs),
  };
}
