import * as v from 'valibot';
import { latencies } from './lane-chooser.ts';
import { talkKeys } from './push-to-talk.ts';

const microphonePreferencesSchema = v.strictObject({
  /** `deviceId` of the chosen microphone; empty for the browser's default. Browsers give each site ids of its own. */
  deviceId: v.pipe(v.string(), v.maxLength(256)),
  echoCancellation: v.boolean(),
  noiseSuppression: v.boolean(),
  autoGainControl: v.boolean(),
  /** None of the three, whatever they say. */
  raw: v.boolean(),
  pushToTalk: v.boolean(),
  talkKey: v.picklist(talkKeys),
});
export type MicrophonePreferences = v.InferOutput<typeof microphonePreferencesSchema>;

const defaultMicrophone: MicrophonePreferences = {
  deviceId: '',
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
  raw: false,
  pushToTalk: false,
  talkKey: 't',
};

/** How large the picture is shown: as the page has room, or each of its pixels as one of the display. */
export const pictureSizes = ['fit', 'actual'] as const;
export type PictureSize = (typeof pictureSizes)[number];

/**
 * What this browser remembers of its viewer. It concerns nobody else: the device-wide mute and the
 * quality live on the device.
 */
export const preferencesSchema = v.strictObject({
  /** Position of the volume control, 0–100. */
  volumePercent: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(100)),
  muted: v.boolean(),
  /** Which lane of the host's sound is wanted. What an older page stored has none. */
  latency: v.fallback(v.optional(v.picklist(latencies), 'auto'), 'auto'),
  /** Output to play on, an id as of the microphone's; empty for the browser's default. */
  sinkId: v.fallback(v.optional(v.pipe(v.string(), v.maxLength(256)), ''), ''),
  /** What an older page stored has none, as of the latency. */
  pictureSize: v.fallback(v.optional(v.picklist(pictureSizes), 'fit'), 'fit'),
  /** Sound and picture in step: the sound waits for the picture. */
  sync: v.fallback(v.optional(v.boolean(), false), false),
  /** Whether single keys act on the page (WCAG 2.1.4 wants a way to turn them off). */
  shortcuts: v.boolean(),
  /** What an older page stored has none; a damaged one costs the other preferences nothing. */
  microphone: v.fallback(
    v.optional(microphonePreferencesSchema, defaultMicrophone),
    defaultMicrophone,
  ),
});
export type Preferences = v.InferOutput<typeof preferencesSchema>;

export const defaultPreferences: Preferences = {
  volumePercent: 100,
  muted: false,
  latency: 'auto',
  sinkId: '',
  pictureSize: 'fit',
  sync: false,
  shortcuts: true,
  microphone: defaultMicrophone,
};

/** The part of `localStorage` that is used. Either call may throw (storage blocked, quota). */
export interface PreferenceStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

export const preferencesKey = 'earshot.preferences';

/** The preferences stored; the defaults where there are none, they are damaged, or storage is blocked. */
export function readPreferences(storage: PreferenceStorage): Preferences {
  try {
    const result = v.safeParse(
      preferencesSchema,
      JSON.parse(storage.getItem(preferencesKey) ?? ''),
    );
    return result.success ? result.output : defaultPreferences;
  } catch {
    // Not JSON, or a browser that forbids storage here: nothing is remembered, and nothing else fails.
    return defaultPreferences;
  }
}

/** Stores the preferences; says whether the browser took them. */
export function writePreferences(storage: PreferenceStorage, preferences: Preferences): boolean {
  try {
    storage.setItem(preferencesKey, JSON.stringify(preferences));
    return true;
  } catch {
    return false;
  }
}

/** Playout gain, 0–1, of a volume position: squared, since loudness is heard on a log scale. */
export function gainOf(volumePercent: number): number {
  return (volumePercent / 100) ** 2;
}
