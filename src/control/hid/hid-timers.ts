/** The clock and the timers of keyboard and mouse; tests pass their own. */
export interface HidTimers {
  /** Milliseconds since 1970, never going back: `performance.timeOrigin` + `performance.now()`. */
  nowMs(): number;
  /** Calls once after `ms`; the function it returns ends that. */
  after(ms: number, call: () => void): () => void;
}

/** The machine's own; a timer of these keeps no process alive. */
export const systemTimers: HidTimers = {
  nowMs: () => performance.timeOrigin + performance.now(),
  after(ms, call) {
    const timer = setTimeout(call, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
