import { EarshotError } from './earshot-error.ts';

/** HID_NOT_CONFIGURED: keys of viewers, of the API and of the command go nowhere. */
export function hidNotConfigured(): EarshotError {
  return new EarshotError(
    'HID_NOT_CONFIGURED',
    'This device has no keyboard and mouse for the host; hid.host of its configuration says where they go.',
  );
}
