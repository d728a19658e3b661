import { PictureArea } from '../components/picture-area.tsx';
import { SyncCard } from '../components/sync-card.tsx';
import { VideoFigures } from '../components/video-figures.tsx';
import { Picture } from './picture.ts';
import type { PicturePart } from './picture-part.ts';
import { videoLines } from './video-lines.ts';

/** What the page loads once the device offers a picture (assets/picture-entry.js). */
export const picturePart: PicturePart = {
  Picture,
  PictureArea,
  SyncCard,
  VideoFigures,
  videoLines,
};
