/** The clock and the timers that segments go by; a test has its own. */
export interface SegmentTimers {
  /** CLOCK_MONOTONIC, as captured frames are stamped. */
  nowNs(): bigint;
  /** Calls once, in `ms` or a little later; the answer cancels it. */
  after(ms: number, call: () => void): () => void;
}

export const systemTimers: SegmentTimers = {
  nowNs: () => process.hrtime.bigint(),
  after(ms, call) {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};
