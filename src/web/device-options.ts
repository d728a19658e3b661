/** A microphone or an output of this browser's machine, as enumerateDevices has it. */
interface LocalDevice {
  readonly deviceId: string;
  readonly label: string;
}

/** Options of a list of the browser's devices: its default first, and the one chosen even when it is not there. */
export function deviceOptions(
  devices: readonly LocalDevice[],
  { chosen, unnamed }: { readonly chosen: string; readonly unnamed: string },
): { readonly value: string; readonly text: string }[] {
  const options = devices
    .filter(({ deviceId }) => deviceId !== 'default')
    .map(({ deviceId, label }, index) => ({
      value: deviceId,
      text: label === '' ? `${unnamed} ${index + 1}` : label,
    }));
  const missing = chosen !== '' && !options.some(({ value }) => value === chosen);
  return [
    { value: '', text: 'The browser’s default' },
    ...options,
    // Remembered all the same: it is used again when it is back.
    ...(missing ? [{ value: chosen, text: 'The one chosen before (not there now)' }] : []),
  ];
}
