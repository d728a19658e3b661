import { runChild } from '../../child/child-main.ts';
import { libraryVersions, openCapture } from '../native/binding.ts';
import { openEncoder } from '../native/encoder-binding.ts';
import { AudioOutput } from './audio-output.ts';

/** The audio-output child: captures and encodes the host's sound. */
export function runAudioOutput(): Promise<void> {
  return runChild({
    role: 'audio-output',
    make: (options) =>
      new AudioOutput({
        ...options,
        openEncoder,
        openCapture(capture) {
          options.log.info(libraryVersions(), 'native audio');
          return openCapture(capture);
        },
      }),
  });
}
