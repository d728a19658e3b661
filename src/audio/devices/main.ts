import { messageOf } from '../../errors/earshot-error.ts';
import { listDevices } from '../native/binding.ts';

/** Prints the capture devices of this machine as one JSON array, or the reason on standard error. */
export function runAudioDevices(): void {
  try {
    process.stdout.write(`${JSON.stringify(listDevices())}\n`);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}
