import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { runChild } from '../child/child-main.ts';
import { gstreamerVersion, openPipeline, presentElements } from './native/pipeline.ts';
import { VideoChild } from './video-child.ts';

/** The video child: captures and encodes the host's picture. */
export function runVideo(): Promise<void> {
  return runChild({
    role: 'video',
    make(options) {
      options.log.info({ gstreamer: gstreamerVersion() }, 'native video');
      return new VideoChild({
        ...options,
        openPipeline,
        presentElements,
        exists: existsSync,
        board: { arch: process.arch, cores: availableParallelism() },
        nowNs: () => process.hrtime.bigint(),
      });
    },
  });
}
