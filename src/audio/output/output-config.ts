import * as v from 'valibot';
import { encoderSettingsSchema } from '../encoder-settings.ts';
import { pcmNameSchema } from '../pcm-name.ts';

/** The longest that the sound can be held back, in ms (DELAY_LONGEST_MS in delay_line.h). */
export const maxDelayMs = 800;

/** What the main process sends the audio-output child in `configure`. */
export const outputConfigSchema = v.strictObject({
  device: pcmNameSchema,
  /** Length of one ALSA period in ms: how often the kernel wakes the capture thread. */
  periodMs: v.pipe(v.number(), v.minValue(1), v.maxValue(100)),
  /** Length of ALSA's ring buffer in ms; what a late wake-up may cost before it is an xrun. */
  bufferMs: v.pipe(v.number(), v.minValue(5), v.maxValue(1_000)),
  encoder: encoderSettingsSchema,
  /** How long the sound is held back so that it is not ahead of the picture, in ms; moved to without a click. */
  delayMs: v.pipe(v.number(), v.minValue(0), v.maxValue(maxDelayMs)),
  /** Samples are faded to silence and silence is encoded: the RTP stream goes on unbroken. */
  muted: v.boolean(),
  /** False while nobody listens: samples are dropped and the encoder rests, the device stays open. */
  active: v.boolean(),
  /** True while somebody follows packets on their way: the child then tells its part of it. */
  trace: v.boolean(),
});

export type OutputConfig = v.InferOutput<typeof outputConfigSchema>;
