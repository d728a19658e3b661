import { EarshotError, isEarshotError, messageOf } from '../../errors/earshot-error.ts';
import { listDevices } from '../native/binding.ts';
import { listPlaybackDevices } from '../native/playback-binding.ts';

const lists = { capture: listDevices, playback: listPlaybackDevices } as const;

/**
 * Prints the `capture` or `playback` devices of this machine, as the first word says, as one JSON array;
 * or the reason on standard error: then the exit code is that of the error.
 */
export function runAudioDevices(
  [direction]: readonly string[],
  list: Readonly<Record<keyof typeof lists, () => readonly unknown[]>> = lists,
): void {
  try {
    if (direction !== 'capture' && direction !== 'playback') {
      const words = `"${direction ?? ''}" is neither capture nor playback.`;
      throw new EarshotError('CLI_USAGE', words);
    }
    process.stdout.write(`${JSON.stringify(list[direction]())}\n`);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = isEarshotError(error) ? error.exitCode : 1;
  }
}
