import type {
  ChildStatusBody,
  Devices,
  MicrophoneMetrics,
  MicrophoneQuality,
  MicrophoneStatus,
  Mute,
  Quality,
  Status,
  VideoStatus,
} from '../api/schema.ts';
import type { PresetName } from '../audio/presets.ts';
import type { Playback } from './audio-graph.ts';
import type { ConnectionState } from './connection-state.ts';
import type { Measurement } from './history.ts';
import { type MicrophoneState, microphoneOff } from './microphone-controller.ts';
import type { CaptureTrouble } from './microphone-trouble.ts';
import type { SettingState } from './optimistic-setting.ts';
import { noOutputs, type OutputState } from './output-devices.ts';
import { noLanes, type PageLanesState } from './page-lanes.ts';
import { noPagePicture, type PagePictureState } from './page-picture.ts';
import type { Preferences } from './preferences.ts';
import type { SentNumbers } from './sent-stats.ts';

/** This browser's microphone, and the device's for everybody. */
export interface PageMicrophoneState extends MicrophoneState {
  /** What stands in the way whatever the person does. */
  readonly unavailable: CaptureTrouble | undefined;
  /** Microphones of this browser. */
  readonly inputs: readonly { readonly deviceId: string; readonly label: string }[];
  /** Open for some seconds and never anything but digital silence. */
  readonly silent: boolean;
  readonly sent: SentNumbers | undefined;
  /** The device's side. */
  readonly status: MicrophoneStatus | undefined;
  readonly metrics: MicrophoneMetrics | undefined;
  readonly quality: SettingState<PresetName, MicrophoneQuality>;
  readonly device: SettingState<string, Devices>;
}

/** Everything the page shows, in one value. */
export interface PageState {
  readonly connection: ConnectionState;
  /** The device's name for this page's session; undefined without one. */
  readonly session: string | undefined;
  /** How the track is played. */
  readonly playback: Playback;
  readonly lanes: PageLanesState;
  readonly outputs: OutputState;
  /** Whether the device's events arrive; its numbers are old when they do not. */
  readonly live: boolean;
  /** The host's sound as the device reports it each second. */
  readonly audio: Status['audio'] | undefined;
  /** The host's picture as the device reports it each second; undefined until it does. */
  readonly video: VideoStatus | undefined;
  readonly picture: PagePictureState;
  readonly device: SettingState<string, Devices>;
  readonly children: Readonly<Record<string, ChildStatusBody>>;
  readonly version: string;
  /** Where the device serves this page over HTTPS; empty where it does not say. */
  readonly httpsUrl: string;
  readonly quality: SettingState<PresetName, Quality>;
  readonly deviceMute: SettingState<boolean, Mute>;
  readonly microphone: PageMicrophoneState;
  readonly preferences: Preferences;
  /** The last minute, oldest first. */
  readonly history: readonly Measurement[];
}

/** The state before anything is known. */
export function initialState(preferences: Preferences): PageState {
  const unknown = { known: undefined, wanted: undefined, error: '' } as const;
  return {
    connection: { kind: 'connecting', step: 'signaling' },
    session: undefined,
    playback: { kind: 'idle' },
    lanes: noLanes,
    outputs: noOutputs,
    live: false,
    audio: undefined,
    video: undefined,
    picture: noPagePicture,
    device: unknown,
    children: {},
    version: '',
    httpsUrl: '',
    quality: unknown,
    deviceMute: unknown,
    microphone: {
      ...microphoneOff,
      unavailable: undefined,
      inputs: [],
      silent: false,
      sent: undefined,
      status: undefined,
      metrics: undefined,
      quality: unknown,
      device: unknown,
    },
    preferences,
    history: [],
  };
}
