import type { PresetName } from '../audio/presets.ts';
import type { MicrophonePreferences, Preferences } from './preferences.ts';

/** What a viewer can do on the page. */
export interface PageActions {
  readonly play: () => void;
  readonly chooseQuality: (preset: PresetName) => void;
  readonly chooseDevice: (device: string) => void;
  readonly setDeviceMute: (muted: boolean) => void;
  readonly setPreferences: (change: Partial<Preferences>) => void;
  readonly resetMedia: () => void;
  readonly retryNow: () => void;
  readonly checkSync: () => void;
  readonly microphone: MicrophoneActions;
}

export interface MicrophoneActions {
  readonly turnOn: () => void;
  readonly takeOver: () => void;
  readonly turnOff: () => void;
  readonly setMuted: (muted: boolean) => void;
  /** The button to hold is held, or let go. */
  readonly talk: (talking: boolean) => void;
  readonly chooseQuality: (preset: PresetName) => void;
  readonly chooseDevice: (device: string) => void;
  readonly setPreferences: (change: Partial<MicrophonePreferences>) => void;
}
