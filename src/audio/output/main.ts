import { runAudioChild } from '../child-main.ts';
import { libraryVersions, openCapture } from '../native/binding.ts';
import { AudioOutput } from './audio-output.ts';

/** The audio-output child: captures and encodes the host's sound. */
export function runAudioOutput(): Promise<void> {
  return runAudioChild({
    role: 'audio-output',
    make: (options) =>
      new AudioOutput({
        ...options,
        openCapture(capture) {
          options.log.info(libraryVersions(), 'native audio');
          return openCapture(capture);
        },
      }),
  });
}
