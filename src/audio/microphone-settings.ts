import * as v from 'valibot';
import { opusFrameMs } from './encoder-settings.ts';

/**
 * What a viewer's browser is asked to encode its microphone with: by the offer's fmtp and ptime
 * (RFC 7587 §6.1), and live by its sender's `maxBitrate`.
 */
export const microphoneSettingsSchema = v.strictObject({
  /** Highest bitrate in bits per second (`maxaveragebitrate`), 6,000–510,000. */
  maxBitrateBps: v.pipe(v.number(), v.integer(), v.minValue(6_000), v.maxValue(510_000)),
  /** 2 asks for stereo (`stereo=1`); a microphone with one channel stays mono. */
  channels: v.picklist([1, 2]),
  /** Length of a packet in ms (`ptime`). What arrives may differ: the browser decides. */
  frameMs: v.picklist(opusFrameMs),
  /** Discontinuous transmission (`usedtx`). */
  dtx: v.boolean(),
  /** In-band forward error correction (`useinbandfec`). */
  fec: v.boolean(),
});

export type MicrophoneSettings = v.InferOutput<typeof microphoneSettingsSchema>;
