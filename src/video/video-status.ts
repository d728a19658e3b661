import * as v from 'valibot';
import { videoCodecs } from './video-config.ts';
import { videoSignals } from './video-stats.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const amount = v.pipe(v.number(), v.minValue(0));

/** The host's picture as the API shows it; the numbers are 0 while the child does not run. */
export const videoStatusSchema = v.strictObject({
  signal: v.picklist(videoSignals),
  /** Why there is no picture, in words; empty while there is one. */
  reason: v.string(),
  device: v.string(),
  /** Null until the child said which encoder `auto` became. */
  codec: v.nullable(v.picklist(videoCodecs)),
  width: count,
  height: count,
  /** Measured over the last second. */
  framesPerSecond: amount,
  bitrateKbps: count,
  measuredKbps: amount,
  keyframes: count,
  framesEncoded: count,
  framesDropped: count,
  encodeMeanMs: amount,
  encodeMaxMs: amount,
  captureToEncodedMs: amount,
});

export type VideoStatus = v.InferOutput<typeof videoStatusSchema>;
