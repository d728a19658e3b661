import { EarshotError } from '../errors/earshot-error.ts';

export interface AudioDevice {
  /** ALSA PCM name. */
  readonly id: string;
  readonly description: string;
}

/** What a person can choose from, and what is chosen. */
export interface DeviceChoice {
  current: string;
  devices: AudioDevice[];
}

export interface DeviceChoiceOptions {
  /** The configuration's device, and the one in use: both can be chosen whether they are plugged in or not. */
  readonly configured: string;
  readonly current: string;
  /** Lists the devices that are there without opening any; bounded in time. */
  readonly listDevices: () => Promise<readonly AudioDevice[]>;
}

export async function deviceChoice(options: DeviceChoiceOptions): Promise<DeviceChoice> {
  const { configured, current, listDevices } = options;
  const found = await listDevices();
  const known = new Map([configured, current].map((id) => [id, 'as configured']));
  for (const { id, description } of found) known.set(id, description);
  return { current, devices: [...known].map(([id, description]) => ({ id, description })) };
}

/** Throws AUDIO_DEVICE_UNKNOWN naming those that can be chosen. */
export function assertChoice(device: string, { devices }: DeviceChoice): void {
  const allowed = devices.map(({ id }) => id);
  if (allowed.includes(device)) return;
  throw new EarshotError(
    'AUDIO_DEVICE_UNKNOWN',
    `There is no audio device "${device}"; there are: ${allowed.join(', ')}.`,
    { details: { device, allowed } },
  );
}
