import type { PresetName } from '../audio/presets.ts';
import type { Preferences } from './preferences.ts';

/** What a viewer can do on the page. */
export interface PageActions {
  readonly play: () => void;
  readonly chooseQuality: (preset: PresetName) => void;
  readonly setDeviceMute: (muted: boolean) => void;
  readonly setPreferences: (change: Partial<Preferences>) => void;
  readonly resetMedia: () => void;
  readonly retryNow: () => void;
}
