import type { FunctionComponent } from 'preact';
import type { VideoStatus } from '../../api/schema.ts';
import type { ConnectionState } from '../connection-state.ts';
import type { MeasuredLine } from '../measured-lines.ts';
import type { PictureSize } from '../preferences.ts';
import type { VideoNumbers } from '../video-stats.ts';
import type { Picture } from './picture.ts';
import type { PictureState } from './picture-state.ts';

export interface PictureAreaProps {
  readonly element: HTMLVideoElement;
  readonly picture: PictureState;
  /** Of the device's side; undefined before it reported. */
  readonly status: VideoStatus | undefined;
  readonly connection: ConnectionState['kind'];
  readonly size: PictureSize;
  readonly onSize: (size: PictureSize) => void;
}

export interface SyncCardProps {
  readonly picture: PictureState;
  /** There are picture and sound to compare. */
  readonly canCheck: boolean;
  readonly onCheck: () => void;
  /** The sound waits for the picture. */
  readonly inStep: boolean;
  readonly onInStep: (inStep: boolean) => void;
}

/** What the page loads once the device offers a picture: its engine and its places on the page. */
export interface PicturePart {
  readonly Picture: typeof Picture;
  readonly PictureArea: FunctionComponent<PictureAreaProps>;
  readonly SyncCard: FunctionComponent<SyncCardProps>;
  readonly VideoFigures: FunctionComponent<{ readonly video: VideoNumbers }>;
  readonly videoLines: readonly MeasuredLine[];
}
