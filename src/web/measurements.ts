import { type EncodingParts, endToEndDelay } from './delay.ts';
import type { Measurement } from './history.ts';
import { readStats, type StatsSnapshot, statsBetween } from './stats.ts';

const intervalMs = 1_000;

export interface MeasurementsOptions {
  /** The connection to measure; a different one each time it is built anew. */
  readonly connection: () => RTCPeerConnection | undefined;
  readonly receiver: () => RTCRtpReceiver | undefined;
  readonly encoding: () => EncodingParts | undefined;
  /** Each report as it is, with what is sent in it too. */
  readonly onReport: (report: RTCStatsReport) => void;
  readonly onMeasurement: (measurement: Measurement) => void;
}

/** Reads the statistics of the received sound once a second. */
export class Measurements {
  readonly #options: MeasurementsOptions;
  #timer: number | undefined;
  #busy = false;
  #last: { readonly of: RTCPeerConnection; readonly snapshot: StatsSnapshot } | undefined;

  constructor(options: MeasurementsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer ??= window.setInterval(() => void this.#measure(), intervalMs);
  }

  stop(): void {
    window.clearInterval(this.#timer);
    this.#timer = undefined;
    this.#last = undefined;
  }

  async #measure(): Promise<void> {
    const connection = this.#options.connection();
    if (this.#busy || connection === undefined) return;
    this.#busy = true;
    try {
      const report = await connection.getStats();
      this.#options.onReport(report);
      const snapshot = readStats(report);
      if (snapshot !== undefined) this.#reduce(connection, snapshot);
    } catch {
      // The connection was closed while it was asked; the next one is measured instead.
      this.#last = undefined;
    } finally {
      this.#busy = false;
    }
  }

  #reduce(connection: RTCPeerConnection, snapshot: StatsSnapshot): void {
    const last = this.#last;
    this.#last = { of: connection, snapshot };
    if (last?.of !== connection) return;
    const numbers = statsBetween(last.snapshot, snapshot);
    const delay = endToEndDelay({
      snapshot,
      numbers,
      source: this.#options.receiver()?.getSynchronizationSources()[0],
      encoding: this.#options.encoding(),
    });
    this.#options.onMeasurement({ ...numbers, delay, atMs: performance.now() });
  }
}
