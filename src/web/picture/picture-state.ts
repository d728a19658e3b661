import { noSyncCheck, type SyncCheckState } from '../calibration/sync-check.ts';
import type { VideoNumbers } from '../video-stats.ts';

/** How the picture does. */
export interface PictureState {
  /** Pictures were shown on this connection. */
  readonly shown: boolean;
  /** For how long no new picture came, in ms; 0 while they come. */
  readonly stillMs: number;
  /** The last second; undefined while nothing is measured. */
  readonly numbers: VideoNumbers | undefined;
  /** What the device holds the sound back by; undefined before it said so. */
  readonly audioDelayMs: number | undefined;
  /** The last segment, video less audio in ms. */
  readonly deltaMs: number | undefined;
  readonly check: SyncCheckState;
}

export const noPicture: PictureState = {
  shown: false,
  stillMs: 0,
  numbers: undefined,
  audioDelayMs: undefined,
  deltaMs: undefined,
  check: noSyncCheck,
};
