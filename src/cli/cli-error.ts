import type { ErrorCode } from '../errors/catalogue.ts';
import { EarshotError, messageOf } from '../errors/earshot-error.ts';

/** What to do about an error, where its message does not say it. */
const advice: Partial<Record<ErrorCode, string>> = {
  CLI_USAGE: 'See earshot help.',
  CHILD_UNKNOWN: 'See earshot status for the children there are.',
  AUDIO_DEVICE_UNKNOWN: 'See earshot audio devices, and for the microphone earshot mic devices.',
  MICROPHONE_NOT_HELD: 'A viewer turns it on in the page; see earshot mic status.',
  HID_NO_HOST: 'See earshot hid; a host that sleeps is woken with earshot hid wake.',
  HID_BUSY: 'earshot hid stop ends what is typed.',
  HID_MACRO_UNKNOWN: 'See earshot macro for the macros there are.',
  HID_TEXT_UNTYPABLE: 'Choose the layout of the host with --layout.',
  AUDIO_NATIVE_MISSING:
    'When it is there, earshot restart audio-output and earshot restart audio-input.',
  SETTINGS_WRITE_FAILED: 'See that the data directory (dataDir) is writable and has room.',
  CHILD_NOT_RUNNING: 'See earshot status, and earshot logs for the cause.',
  CHILD_SPAWN_FAILED: 'See earshot logs for the cause.',
  INTERNAL: 'See earshot logs for the cause.',
};

/** Any thrown thing as an error with a code. */
export function asCliError(thrown: unknown): EarshotError {
  if (thrown instanceof EarshotError) return thrown;
  return new EarshotError('INTERNAL', messageOf(thrown), { cause: thrown });
}

/** What goes to standard error. */
export function errorText(error: EarshotError, json: boolean): string {
  const { code, message, details } = error;
  if (json) return `${JSON.stringify({ error: { code, message, details } })}\n`;
  const hint = advice[code];
  return `earshot: ${message}\n${hint === undefined ? '' : `${hint}\n`}`;
}
