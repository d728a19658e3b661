import * as v from 'valibot';
import { encoderSettingsSchema } from '../audio/encoder-settings.ts';
import { defaultPreset, presetNames } from '../audio/presets.ts';
import { hidSettingsSchema } from '../control/hid/hid-config.ts';
import { serialSettingsSchema } from '../control/serial/serial-config.ts';

/**
 * The settings: what viewers and the command change while the device runs. Written atomically to
 * `<dataDir>/settings.json` at each change.
 */
export const settingsSchema = v.strictObject({
  /** Version of this file's format; a migration leads from each to the next. */
  version: v.optional(v.literal(1), 1),
  audioOutput: v.optional(
    v.strictObject({
      quality: v.optional(v.picklist([...presetNames, 'custom']), defaultPreset),
      /** The encoder settings of `custom`; kept while another preset is chosen. */
      custom: v.optional(encoderSettingsSchema),
      muted: v.optional(v.boolean(), false),
      /** ALSA PCM chosen by a person; absent means the configuration's. */
      device: v.optional(v.string()),
    }),
    {},
  ),
  audioInput: v.optional(
    v.strictObject({
      quality: v.optional(v.picklist(presetNames), defaultPreset),
      /** ALSA PCM chosen by a person; absent means the configuration's. */
      device: v.optional(v.string()),
    }),
    {},
  ),
  hid: v.optional(hidSettingsSchema, {}),
  serial: v.optional(serialSettingsSchema, {}),
});

export type Settings = v.InferOutput<typeof settingsSchema>;
