import * as v from 'valibot';
import { layoutNames } from '../../control/hid/layouts/layout-names.ts';
import type { PreferenceStorage } from '../preferences.ts';

const schema = v.object({
  /** Layout that pasted text is typed by; absent: the host's as the device has it. */
  layout: v.optional(v.picklist(layoutNames)),
  pointerMode: v.fallback(v.picklist(['absolute', 'relative']), 'absolute'),
});

/** What this browser remembers of the host's control. */
export type ControlPreferences = v.InferOutput<typeof schema>;

export const controlPreferencesKey = 'earshot.control';

const defaults: ControlPreferences = { pointerMode: 'absolute' };

/** The preferences stored; the defaults where there are none, they are damaged, or storage is blocked. */
export function readControlPreferences(storage: PreferenceStorage): ControlPreferences {
  try {
    const stored: unknown = JSON.parse(storage.getItem(controlPreferencesKey) ?? '');
    const result = v.safeParse(schema, stored);
    return result.success ? result.output : defaults;
  } catch {
    return defaults;
  }
}

/** Stores the preferences; where the browser does not take them, nothing is remembered. */
export function writeControlPreferences(
  storage: PreferenceStorage,
  preferences: ControlPreferences,
): void {
  try {
    storage.setItem(controlPreferencesKey, JSON.stringify(preferences));
  } catch {
    // Storage is blocked or full.
  }
}
