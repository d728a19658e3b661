import { isEarshotError, messageOf } from '../../errors/earshot-error.ts';
import { listDevices } from '../native/binding.ts';

/**
 * Prints the capture devices of this machine as one JSON array, or the reason on standard error: then
 * the exit code is that of the error.
 */
export function runAudioDevices(list = listDevices): void {
  try {
    process.stdout.write(`${JSON.stringify(list())}\n`);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = isEarshotError(error) ? error.exitCode : 1;
  }
}
