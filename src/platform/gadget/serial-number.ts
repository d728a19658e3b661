import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/**
 * iSerialNumber of a device whose owner gave it none: the same after every start, another on every device.
 * The machine's id itself is not for others to see (machine-id(5)), so it is only what this is made from.
 */
export async function machineSerialNumber(machineIdPath: string): Promise<string> {
  const id = (await readFile(machineIdPath, 'utf8').catch(() => '')).trim();
  if (id === '') return 'earshot';
  return createHmac('sha256', id).update('earshot usb serial number').digest('hex').slice(0, 16);
}
