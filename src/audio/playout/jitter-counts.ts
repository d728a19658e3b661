/** What happened so far. Packets, except where another unit is named; they only grow. */
export interface JitterCounts {
  inserted: number;
  /** Came after their moment, and were dropped. */
  late: number;
  duplicate: number;
  /** Dropped, oldest first, because there was no room. */
  overflow: number;
  /** Dropped on resuming after an outage, or when nothing else brought the delay down: a backlog that would have been delay. */
  skipped: number;
  /** Did not come in time for what followed them. */
  lost: number;
  /** Samples asked to be made up because packets were lost, or had not come. DTX is apart. */
  lossSamples: number;
  underrunSamples: number;
  dtxSamples: number;
  /** Times the stream began anew. */
  resets: number;
}

export function noCounts(): JitterCounts {
  return {
    inserted: 0,
    late: 0,
    duplicate: 0,
    overflow: 0,
    skipped: 0,
    lost: 0,
    lossSamples: 0,
    underrunSamples: 0,
    dtxSamples: 0,
    resets: 0,
  };
}
