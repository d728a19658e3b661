import type { ConnectionState } from './connection-state.ts';
import type { ControlState } from './control/control-state.ts';
import type { FastLane, FastLaneNumbers, FastLaneState } from './fast-lane/fast-lane.ts';
import type { Measurement } from './history.ts';
import type { Lane } from './lane-chooser.ts';
import type { MicrophoneState } from './microphone-controller.ts';
import type { PictureState } from './picture/picture-state.ts';

/**
 * `window.earshot`: a look inside, for tests, benchmarks and the developer console. Nothing on the page
 * depends on it. It hands out the browser's own objects, which are for looking at too.
 */
export interface Diagnostics {
  /** `connected`, `connecting`, `reconnecting`, `failed`, `interrupted` or `stopped`. */
  readonly state: ConnectionState['kind'];
  /** `playing` once sound is played. */
  readonly playback: string;
  /** What the sound is played with: gain 0–1 and this browser's own mute. */
  readonly output: { readonly gain: number; readonly muted: boolean };
  /** The host's sound as the track brings it. */
  readonly stream: MediaStream | undefined;
  /** The lane that sounds, and why it is not the fast one (empty when it is). */
  readonly lane: Lane;
  readonly laneReason: string;
  /** The fast lane, sounding or not; no numbers unless it runs. */
  readonly fastLane: {
    readonly state: FastLaneState;
    readonly numbers: FastLaneNumbers | undefined;
    /** What the engine itself has to tell. */
    readonly engine: FastLane['diagnostics'];
  };
  /** The picture: the last second's numbers, the check of sync, and the element that shows it; undefined without one. */
  readonly video: (PictureState & { readonly element: HTMLVideoElement }) | undefined;
  /** The last second's numbers, as on the page. */
  readonly measurement: Measurement | undefined;
  /** This browser's microphone; its track is there while it is captured. */
  readonly microphone: {
    readonly state: MicrophoneState;
    readonly track: MediaStreamTrack | undefined;
    readonly settings: MediaTrackSettings | undefined;
    /** What the encoder runs with; undefined without a connection. */
    readonly parameters: RTCRtpSendParameters | undefined;
  };
  /** Keyboard, mouse, serial console and power of the host; undefined until that part is loaded. */
  readonly control: ControlState | undefined;
  /** The peer connection under way. */
  readonly connection: RTCPeerConnection | undefined;
  /** The peer connection's statistics (W3C webrtc-stats); undefined without one. */
  getStats(): Promise<RTCStatsReport | undefined>;
}

declare global {
  interface Window {
    readonly earshot?: Diagnostics;
  }
}

/** Puts `diagnostics` where the console finds it. */
export function exposeDiagnostics(diagnostics: Diagnostics): void {
  Object.defineProperty(window, 'earshot', { value: Object.freeze(diagnostics), enumerable: true });
}
