import * as v from 'valibot';
import { videoCodecs } from './video-config.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const amount = v.pipe(v.number(), v.minValue(0));

/**
 * What comes from the host: `ok` pictures; `opening` none yet, or nobody watches; `no-signal` the device
 * is there and delivers nothing; `unsupported` it delivers what cannot be taken; `lost` it is not there.
 */
export const videoSignals = ['ok', 'no-signal', 'unsupported', 'opening', 'lost'] as const;
export type VideoSignal = (typeof videoSignals)[number];

/** What the video child reports in `stats`, once a second. Counters only grow while the process lives. */
export const videoStatsSchema = v.strictObject({
  signal: v.picklist(videoSignals),
  /** Why there is no picture, in words; empty while there is one. */
  reason: v.pipe(v.string(), v.maxLength(512)),
  codec: v.picklist(videoCodecs),
  /** Of what was encoded last; 0 before. */
  width: count,
  height: count,
  /** Pictures of the host encoded in the last second. */
  framesPerSecond: amount,
  /** Set and measured over the last second. */
  bitrateKbps: count,
  measuredKbps: amount,
  keyframes: count,
  framesEncoded: count,
  /** Pictures of the host dropped before the encoder because it was busy, and behind it because nobody took them. */
  framesDropped: count,
  /** Encoder time of one picture in ms: mean and largest of the last second. */
  encodeMeanMs: amount,
  encodeMaxMs: amount,
  /** From the capture of a picture to its last encoded byte, in ms, mean of the last second. */
  captureToEncodedMs: amount,
  /** Pictures of the slate that stands for a missing signal, and those main sent. */
  slateFrames: count,
  segmentFrames: count,
  /** Pictures of main's that could not be encoded. */
  segmentFramesRefused: count,
  /** Times the device was opened anew. */
  reopens: count,
});

export type VideoStats = v.InferOutput<typeof videoStatsSchema>;

const text = v.pipe(v.string(), v.maxLength(512));

/** The `event`s the video child sends, by name, with their data. */
export const videoEventSchemas = {
  /** The encoder that runs, after each configuration that changed it. */
  encoder: v.object({ encoder: v.string(), codec: v.picklist(videoCodecs) }),
  /** The size of the pictures to come. */
  format: v.object({ codec: v.picklist(videoCodecs), width: count, height: count }),
  signal: v.object({ signal: v.picklist(videoSignals), reason: text, device: text }),
  'device-opened': v.object({ device: text }),
  'device-lost': v.object({ device: text, error: text, retryMs: count }),
} as const;

export type VideoEvent = {
  [N in keyof typeof videoEventSchemas]: {
    readonly name: N;
    readonly data: v.InferOutput<(typeof videoEventSchemas)[N]>;
  };
}[keyof typeof videoEventSchemas];
