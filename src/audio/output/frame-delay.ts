import { PercentileWindow } from '../playout/percentile-window.ts';

/** How packets passed through the main process lately. */
export interface FrameDelayNumbers {
  /**
   * From the capture of a packet's first sample until the main process sends it, in ms, over the last
   * second: it includes the packet's own length. 0 while nothing is sent.
   */
  readonly latencyMeanMs: number;
  readonly latencyP95Ms: number;
  /** When the last packet came, Unix time in ms; 0 before the first. */
  readonly lastFrameUnixMs: number;
}

/** The clocks it goes by; a test has its own. */
export interface FrameClocks {
  /** CLOCK_MONOTONIC, as the capture stamps its packets. */
  nowNs(): bigint;
  unixMs(): number;
}

const systemClocks: FrameClocks = { nowNs: () => process.hrtime.bigint(), unixMs: Date.now };

/** Measures how long the host's sound takes from the sound card to the viewers' sockets. */
export class FrameDelay {
  readonly #clocks: FrameClocks;
  // Frames of 2.5 ms come 400 times a second. Sound may be held back by 800 ms; what takes longer than
  // 1,024 ms counts as that.
  readonly #window = new PercentileWindow({
    spanMs: 1_000,
    binWidth: 0.5,
    bins: 2_048,
    capacity: 512,
  });
  #lastFrameUnixMs = 0;

  constructor(clocks: FrameClocks = systemClocks) {
    this.#clocks = clocks;
  }

  /** Notes one packet, captured at `captureTimeNs`; costs two readings of a clock and no allocation but them. */
  note(captureTimeNs: bigint): void {
    const nowNs = this.#clocks.nowNs();
    this.#lastFrameUnixMs = this.#clocks.unixMs();
    this.#window.add(Number(nowNs) / 1e6, Math.max(0, Number(nowNs - captureTimeNs) / 1e6));
  }

  read(): FrameDelayNumbers {
    this.#window.expire(Number(this.#clocks.nowNs()) / 1e6);
    return {
      latencyMeanMs: this.#window.mean,
      latencyP95Ms: this.#window.percentile(0.95),
      lastFrameUnixMs: this.#lastFrameUnixMs,
    };
  }
}
