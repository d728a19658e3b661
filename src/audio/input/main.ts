import { setPriority } from 'node:os';
import { runChild } from '../../child/child-main.ts';
import { messageOf } from '../../errors/earshot-error.ts';
import type { Log } from '../../log/log.ts';
import { libraryVersions } from '../native/binding.ts';
import { openDecoder } from '../native/decoder-binding.ts';
import { openPlayback } from '../native/playback-binding.ts';
import { AudioInput } from './audio-input.ts';

/** Nice value of this thread, which decodes: sound has milliseconds, and what else runs does not. */
const priority = -11;

/** The audio-input child: decodes a viewer's microphone and plays it to the host. */
export function runAudioInput(): Promise<void> {
  // Two readings of one clock (CLOCK_MONOTONIC); the second allocates nothing.
  const originMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();
  return runChild({
    role: 'audio-input',
    make: (options) =>
      new AudioInput({
        ...options,
        nowMs: () => originMs + performance.now(),
        openDecoder,
        openPlayback(playback) {
          options.log.info(libraryVersions(), 'native audio');
          const opened = openPlayback(playback);
          raisePriority(options.log);
          return opened;
        },
      }),
  });
}

function raisePriority(log: Log): void {
  try {
    setPriority(priority);
  } catch (error) {
    log.warn({ priority, error: messageOf(error) }, 'the event loop runs at normal priority');
  }
}
