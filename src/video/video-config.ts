import * as v from 'valibot';
import type { VideoCodec } from '../ipc/video-codec.ts';

export { type VideoCodec, videoCodecs } from '../ipc/video-codec.ts';

/** Encoders by name; `x264` is for machines without an encoder in hardware. */
export const videoEncoders = ['vp8', 'x264', 'v4l2h264', 'mpph264'] as const;
export type VideoEncoder = (typeof videoEncoders)[number];

/** What each encoder makes. */
export function codecOf(encoder: VideoEncoder): VideoCodec {
  return encoder === 'vp8' ? 'vp8' : 'h264';
}

/** `test` (a moving picture with a clock), `x11:DISPLAY`, or `/dev/videoN`. */
export const videoSourceSchema = v.pipe(
  v.string(),
  v.maxLength(128),
  v.regex(
    /^(test|x11:[A-Za-z0-9.-]*:\d+(\.\d+)?|\/dev\/video\d+)$/,
    'is test, x11:DISPLAY (such as x11::0) or /dev/videoN',
  ),
);

/** `auto` takes the board's encoder where GStreamer has one for it, VP8 in software otherwise. */
export const encoderChoiceSchema = v.picklist(['auto', ...videoEncoders]);
export type EncoderChoice = v.InferOutput<typeof encoderChoiceSchema>;

export const framesPerSecondSchema = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(1),
  v.maxValue(120),
);
export const videoSideSchema = v.pipe(v.number(), v.integer(), v.minValue(64), v.maxValue(4_096));
export const videoKbpsSchema = v.pipe(v.number(), v.integer(), v.minValue(50), v.maxValue(50_000));

/** What the main process sends the video child in `configure`. */
export const videoConfigSchema = v.strictObject({
  device: videoSourceSchema,
  /** In `effective`, `auto` has become the encoder that runs. */
  encoder: encoderChoiceSchema,
  bitrateKbps: videoKbpsSchema,
  /** At most so many pictures a second; a slower source is not sped up. */
  framesPerSecond: framesPerSecondSchema,
  /** A larger picture is scaled down into these, its shape kept. */
  maxWidth: videoSideSchema,
  maxHeight: videoSideSchema,
  /** Keyframes asked for so far; a higher number than before forces one. */
  keyframes: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** False while nobody watches: the device is closed and nothing is encoded. */
  active: v.boolean(),
});

export type VideoConfig = v.InferOutput<typeof videoConfigSchema>;

/** The same with the encoder that runs. */
export type EffectiveVideoConfig = VideoConfig & { readonly encoder: VideoEncoder };
