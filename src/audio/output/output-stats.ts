import * as v from 'valibot';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** What the audio-output child reports in `stats`, once a second. Counters only grow while the process lives. */
export const outputStatsSchema = v.strictObject({
  /** `open`: capturing. `opening`: waiting for the device or for the next try. */
  deviceState: v.picklist(['opening', 'open']),
  /** What the device runs with, before conversion; 0 while it is not open. */
  deviceRateHz: count,
  deviceChannels: count,
  /** Frames (samples per channel) read from the device. */
  capturedSamples: count,
  /** Opus packets made, and their bytes. */
  encodedFrames: count,
  encodedBytes: count,
  /** Packets dropped because JavaScript did not collect them for 100 ms. */
  droppedFrames: count,
  /** Overruns (EPIPE), suspends (ESTRPIPE) and re-openings of the device. */
  xruns: count,
  suspends: count,
  reopens: count,
  /** Frames lost to overruns and gaps, as counted from ALSA's own timestamps. */
  lostSamples: count,
  /** Encoder time of one packet in µs: mean and largest of the last second. */
  encodeMeanUs: v.pipe(v.number(), v.minValue(0)),
  encodeMaxUs: v.pipe(v.number(), v.minValue(0)),
  /** Level of the last second in dBFS (−120 for digital silence). */
  peakDbfs: v.number(),
  rmsDbfs: v.number(),
  /** Whether the capture thread got SCHED_FIFO. */
  realtime: v.boolean(),
});

export type OutputStats = v.InferOutput<typeof outputStatsSchema>;

/** Names of the `event`s the audio-output child sends, with their data. */
export type OutputEvent =
  | {
      readonly name: 'device-opened';
      readonly data: {
        device: string;
        rateHz: number;
        channels: number;
        periodMs: number;
        bufferMs: number;
      };
    }
  | {
      readonly name: 'device-lost';
      readonly data: { device: string; error: string; retryMs: number };
    }
  | { readonly name: 'xrun'; readonly data: { lostSamples: number } }
  | { readonly name: 'realtime-refused'; readonly data: { error: string } };
