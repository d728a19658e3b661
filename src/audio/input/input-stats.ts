import * as v from 'valibot';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const duration = v.pipe(v.number(), v.minValue(0));

/** `closed`: nobody holds the microphone. `idle`: open, and the host does not record. */
export const inputDeviceStates = ['closed', 'opening', 'open', 'idle'] as const;

/** What the audio-input child reports in `stats`, once a second. Counters only grow while the process lives. */
export const inputStatsSchema = v.strictObject({
  deviceState: v.picklist(inputDeviceStates),
  /** What the device runs with, after conversion; 0 while it is not open. */
  deviceRateHz: count,
  deviceChannels: count,
  /** RTP packets that came from the main process, and their Opus bytes. */
  receivedFrames: count,
  receivedBytes: count,
  /** Packets dropped: came after their moment, came twice, are not Opus (or longer than allowed), or found no room or no device. */
  lateFrames: count,
  duplicateFrames: count,
  malformedFrames: count,
  droppedFrames: count,
  /** Packets decoded. */
  decodedFrames: count,
  /** Samples at 48 kHz played from in-band FEC, made up by PLC, and made up because the sender paused (DTX). */
  fecSamples: count,
  plcSamples: count,
  dtxSamples: count,
  /** Samples taken out or put in to bring the delay to its target. */
  shortenedSamples: count,
  lengthenedSamples: count,
  /** Samples played into the device, at 48 kHz. */
  playedSamples: count,
  /** Underruns (EPIPE), suspends (ESTRPIPE), re-openings of the device, and times the ring ran dry while sound was due. */
  xruns: count,
  suspends: count,
  reopens: count,
  starvations: count,
  /** Times the stream began anew: another SSRC, or a jump that no network makes. */
  streamResets: count,
  /** Jitter buffer: what it aims at, what it holds (with the ring and the device's buffer) in ms. */
  targetMs: duration,
  levelMs: duration,
  /** From the packet's arrival to the sound card, in ms, over the last second; 0 while nothing plays. */
  latencyMeanMs: duration,
  latencyP95Ms: duration,
  /** How much later than the quickest packets come, in ms: 97th percentile of the last seconds. */
  jitterMs: duration,
  /** How much faster the sender's clock runs than the device's, in parts per million. */
  driftPpm: v.number(),
  /** Decoder time of one packet in µs: mean and largest of the last second. */
  decodeMeanUs: duration,
  decodeMaxUs: duration,
  /** Time since the last packet in ms; −1 before the first. */
  lastFrameAgeMs: v.pipe(v.number(), v.minValue(-1)),
  /** Level of the last second in dBFS (−120 for digital silence), as played. */
  peakDbfs: v.number(),
  rmsDbfs: v.number(),
  /** Whether the playback thread got SCHED_FIFO. */
  realtime: v.boolean(),
});

export type InputStats = v.InferOutput<typeof inputStatsSchema>;

/** Names of the `event`s the audio-input child sends, with their data. */
export type InputEvent =
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
  /** The host stopped recording from the device, or began to. */
  | { readonly name: 'device-idle'; readonly data: { device: string; idle: boolean } }
  | { readonly name: 'xrun'; readonly data: { count: number } }
  | { readonly name: 'realtime-refused'; readonly data: { error: string } };
