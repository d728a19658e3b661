import type { VideoNumbers } from '../video-stats.ts';
import { FigureList } from './figure-list.tsx';

/** What the picture has been through since it began. */
export function VideoFigures({ video }: { readonly video: VideoNumbers }) {
  return (
    <FigureList
      title="Picture so far"
      figures={[
        { name: 'Decoded', value: video.framesDecoded, digits: 0, unit: 'pictures' },
        { name: 'Dropped', value: video.framesDropped, digits: 0, unit: 'pictures' },
        { name: 'Frozen', value: video.freezesMs, digits: 0, unit: 'ms' },
        { name: 'Key frames', value: video.keyFramesDecoded, digits: 0, unit: 'pictures' },
        { name: 'Asked again', value: video.nacks, digits: 0, unit: 'packets' },
      ]}
    />
  );
}
