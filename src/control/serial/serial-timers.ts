/** The clock and the timers of a serial port and of a power board; a test has its own. */
export interface SerialTimers {
  /** CLOCK_MONOTONIC. */
  nowNs(): bigint;
  /** Calls once, in `ms` or a little later; the answer cancels it. */
  after(ms: number, call: () => void): () => void;
}

export const systemTimers: SerialTimers = {
  nowNs: () => process.hrtime.bigint(),
  after(ms, call) {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};
