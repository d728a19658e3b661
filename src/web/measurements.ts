import { type EncodingParts, endToEndDelay } from './delay.ts';
import type { Measurement } from './history.ts';
import type { FastSecond } from './page-lanes.ts';
import { readStats, type StatsSnapshot, statsBetween } from './stats.ts';

const intervalMs = 1_000;

export interface MeasurementsOptions {
  /** The connection to measure; a different one each time it is built anew. */
  readonly connection: () => RTCPeerConnection | undefined;
  readonly receiver: () => RTCRtpReceiver | undefined;
  readonly encoding: () => EncodingParts | undefined;
  /** Each report as it is, with what is sent in it too. */
  readonly onReport: (report: RTCStatsReport) => void;
  /** The fast lane's last second, when that is the lane that sounds. */
  readonly fastSecond: () => FastSecond | undefined;
  readonly onMeasurement: (measurement: Measurement) => void;
}

/** Reads the statistics of the received sound once a second, of the lane that sounds. */
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
    if (this.#busy) return;
    this.#busy = true;
    const track = await this.#measureTrack();
    this.#busy = false;
    // The fast lane may sound without a peer connection.
    const measured = this.#options.fastSecond() ?? track;
    if (measured !== undefined && this.#timer !== undefined) {
      this.#options.onMeasurement({ ...measured, atMs: performance.now() });
    }
  }

  async #measureTrack(): Promise<Omit<Measurement, 'atMs'> | undefined> {
    const connection = this.#options.connection();
    if (connection === undefined) return undefined;
    try {
      const report = await connection.getStats();
      this.#options.onReport(report);
      const snapshot = readStats(report);
      return snapshot === undefined ? undefined : this.#reduce(connection, snapshot);
    } catch {
      // The connection was closed while it was asked; the next one is measured instead.
      this.#last = undefined;
      return undefined;
    }
  }

  #reduce(
    connection: RTCPeerConnection,
    snapshot: StatsSnapshot,
  ): Omit<Measurement, 'atMs'> | undefined {
    const last = this.#last;
    this.#last = { of: connection, snapshot };
    if (last?.of !== connection) return undefined;
    const numbers = statsBetween(last.snapshot, snapshot);
    const delay = endToEndDelay({
      snapshot,
      numbers,
      source: this.#options.receiver()?.getSynchronizationSources()[0],
      encoding: this.#options.encoding(),
    });
    return { ...numbers, delay, lane: 'track' };
  }
}
