import * as v from 'valibot';
import { encoderSettingsSchema } from '../encoder-settings.ts';
import { pcmNameSchema } from '../pcm-name.ts';

/** What the main process sends the audio-output child in `configure`. */
export const outputConfigSchema = v.strictObject({
  device: pcmNameSchema,
  /** Length of one ALSA period in ms: how often the kernel wakes the capture thread. */
  periodMs: v.pipe(v.number(), v.minValue(1), v.maxValue(100)),
  /** Length of ALSA's ring buffer in ms; what a late wake-up may cost before it is an xrun. */
  bufferMs: v.pipe(v.number(), v.minValue(5), v.maxValue(1_000)),
  encoder: encoderSettingsSchema,
  /** Samples are faded to silence and silence is encoded: the RTP stream goes on unbroken. */
  muted: v.boolean(),
  /** False while nobody listens: samples are dropped and the encoder rests, the device stays open. */
  active: v.boolean(),
});

export type OutputConfig = v.InferOutput<typeof outputConfigSchema>;
