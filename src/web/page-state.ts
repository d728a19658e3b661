import type { ChildStatusBody, Devices, Mute, Quality, Status } from '../api/schema.ts';
import type { PresetName } from '../audio/presets.ts';
import type { Playback } from './audio-graph.ts';
import type { ConnectionState } from './connection-state.ts';
import type { Measurement } from './history.ts';
import type { SettingState } from './optimistic-setting.ts';
import type { Preferences } from './preferences.ts';

/** Everything the page shows, in one value. */
export interface PageState {
  readonly connection: ConnectionState;
  readonly playback: Playback;
  /** Whether the device's events arrive; its numbers are old when they do not. */
  readonly live: boolean;
  /** The host's sound as the device reports it each second. */
  readonly audio: Status['audio'] | undefined;
  readonly devices: Devices | undefined;
  readonly children: Readonly<Record<string, ChildStatusBody>>;
  readonly version: string;
  readonly quality: SettingState<PresetName, Quality>;
  readonly deviceMute: SettingState<boolean, Mute>;
  readonly preferences: Preferences;
  /** The last minute, oldest first. */
  readonly history: readonly Measurement[];
}
