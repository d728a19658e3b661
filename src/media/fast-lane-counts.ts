import type { FastLaneReport } from './fast-lane-packets.ts';

/** Why a message of the fast lane was dropped. */
export const fastLaneDropReasons = [
  /** Sound: the viewer's channel or WebSocket could not take it. */
  'queue',
  /** Of the viewer: no ping, or not as pings are. */
  'malformed',
  /** Of the viewer: more pings than any player sends. */
  'rate',
] as const;
export type FastLaneDropReason = (typeof fastLaneDropReasons)[number];

/** What viewers have said that they heard, summed over them. */
export const fastLaneHeardNames = [
  'received',
  'lost',
  'recovered',
  'late',
  'malformed',
  'concealedMs',
  'underrunMs',
] as const satisfies readonly (keyof FastLaneReport)[];
export type FastLaneHeard = Record<(typeof fastLaneHeardNames)[number], number>;

/** What the fast lanes of one session, or of all, have counted. */
export interface FastLaneCounts {
  /** Messages of sound, and their bytes. */
  packetsSent: number;
  bytesSent: number;
  /** Of them, with redundancy, and the bytes it took. */
  redundantPackets: number;
  redundantBytes: number;
  readonly drops: Record<FastLaneDropReason, number>;
  readonly heard: FastLaneHeard;
}

export function noFastLaneCounts(): FastLaneCounts {
  return {
    packetsSent: 0,
    bytesSent: 0,
    redundantPackets: 0,
    redundantBytes: 0,
    drops: { queue: 0, malformed: 0, rate: 0 },
    heard: {
      received: 0,
      lost: 0,
      recovered: 0,
      late: 0,
      malformed: 0,
      concealedMs: 0,
      underrunMs: 0,
    },
  };
}

/** Adds `counts` to `totals`. */
export function addFastLaneCounts(totals: FastLaneCounts, counts: FastLaneCounts): void {
  totals.packetsSent += counts.packetsSent;
  totals.bytesSent += counts.bytesSent;
  totals.redundantPackets += counts.redundantPackets;
  totals.redundantBytes += counts.redundantBytes;
  for (const reason of fastLaneDropReasons) totals.drops[reason] += counts.drops[reason];
  for (const name of fastLaneHeardNames) totals.heard[name] += counts.heard[name];
}

/**
 * Adds what a viewer heard between two of its reports. Its first one is where it begins, and so is one
 * whose count is smaller than before; unknown counts add nothing.
 */
export function addReport(
  heard: FastLaneHeard,
  {
    before,
    after,
  }: { readonly before: FastLaneReport | undefined; readonly after: FastLaneReport },
): void {
  for (const name of fastLaneHeardNames) {
    const from = before?.[name] ?? -1;
    if (from >= 0 && after[name] > from) heard[name] += after[name] - from;
  }
}
