import * as v from 'valibot';

/**
 * Settings of the Opus encoder (RFC 6716; names as in opus_defines.h). Input is always 48 kHz.
 */

/** Frame lengths Opus can encode that a browser's track accepts, in milliseconds. */
export const opusFrameMs = [2.5, 5, 10, 20, 40, 60] as const;

export const encoderSettingsSchema = v.strictObject({
  /** Target bitrate in bits per second, 6,000–510,000. */
  bitrateBps: v.pipe(v.number(), v.integer(), v.minValue(6_000), v.maxValue(510_000)),
  channels: v.picklist([1, 2]),
  frameMs: v.picklist(opusFrameMs),
  /** OPUS_APPLICATION_*. `restricted-lowdelay` saves 4 ms of lookahead and disables SILK. */
  application: v.picklist(['voip', 'audio', 'restricted-lowdelay']),
  /** 0 (cheapest) to 10 (best). */
  complexity: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(10)),
  vbr: v.picklist(['cbr', 'vbr', 'constrained']),
  signal: v.picklist(['auto', 'voice', 'music']),
  /** Highest audio bandwidth: 4, 6, 8, 12, 20 kHz. */
  bandwidth: v.picklist(['narrowband', 'mediumband', 'wideband', 'superwideband', 'fullband']),
  /** Discontinuous transmission: silence is hardly sent. */
  dtx: v.boolean(),
  /** In-band forward error correction; acts in SILK and hybrid modes only. */
  fec: v.boolean(),
});

export type EncoderSettings = v.InferOutput<typeof encoderSettingsSchema>;
