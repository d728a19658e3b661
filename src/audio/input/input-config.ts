import * as v from 'valibot';
import { microphoneSettingsSchema } from '../microphone-settings.ts';
import { pcmNameSchema } from '../pcm-name.ts';

/** What the main process sends the audio-input child in `configure`. */
export const inputConfigSchema = v.strictObject({
  /** ALSA PCM the host records from, e.g. `hw:CARD=UAC1Gadget`; by card id, never by index. */
  device: pcmNameSchema,
  /** Length of one ALSA period in ms: how often the kernel wakes the playback thread. */
  periodMs: v.pipe(v.number(), v.minValue(1), v.maxValue(100)),
  /** Length of ALSA's ring buffer in ms: how late the thread may wake up before it is an underrun. */
  bufferMs: v.pipe(v.number(), v.minValue(5), v.maxValue(1_000)),
  /** What the viewer's browser was asked to send. */
  expected: microphoneSettingsSchema,
  /** Sound is faded to silence, and silence is played. */
  muted: v.boolean(),
  /** False while nobody holds the microphone: the device is closed. */
  active: v.boolean(),
});

export type InputConfig = v.InferOutput<typeof inputConfigSchema>;
