import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { EarshotError } from '../../errors/earshot-error.ts';
import type { EndpointSupply } from './endpoint-budget.ts';

/** The USB device controllers (UDC) of the machine, as sysfs and debugfs tell about them. */

/**
 * The controller that is to be used: `wanted`, or the only one there is when that is empty. Throws
 * GADGET_NO_UDC, naming those there are.
 */
export async function findController(sysRoot: string, wanted: string): Promise<string> {
  const names = (await readdir(join(sysRoot, 'class/udc')).catch(() => [])).sort();
  const [only] = names;
  if (wanted === '' ? names.length === 1 : names.includes(wanted)) {
    const name = wanted === '' ? only : wanted;
    if (name !== undefined) return name;
  }
  const there = names.length === 0 ? 'there are none' : `there are ${names.join(', ')}`;
  const what =
    wanted === '' && names.length > 1
      ? `Which USB device controller to use has to be said in usb.controller: ${there}.`
      : `There is no USB device controller${wanted === '' ? '' : ` ${wanted}`} in /sys/class/udc: ${there}.`;
  throw new EarshotError('GADGET_NO_UDC', what, { details: { controller: wanted, found: names } });
}

/** Controllers whose kernel drivers do not tell. By the driver's name, or a device tree's `compatible`. */
const knownSupplies: Readonly<Record<string, EndpointSupply>> = {
  // drivers/usb/gadget/udc/dummy_hcd.c: its transfers are never isochronous.
  dummy_udc: { in: 12, out: 12, isochronous: false },
  // "EPs: 8, dedicated fifos": Raspberry Pi.
  'brcm,bcm2835-usb': { in: 7, out: 7, isochronous: true },
};

/**
 * The endpoints a controller has: what the drivers dwc2 and dwc3 list in debugfs, or a table. Undefined when
 * neither knows; the kernel then finds out when the gadget is bound.
 */
export async function endpointSupply(
  sysRoot: string,
  controller: string,
): Promise<EndpointSupply | undefined> {
  for (const place of ['kernel/debug/usb', 'kernel/debug']) {
    const names = await readdir(join(sysRoot, place, controller)).catch(() => []);
    const count = (side: string) =>
      names.filter((name) => new RegExp(`^ep[1-9]\\d*${side}$`).test(name)).length;
    const supply = { in: count('in'), out: count('out'), isochronous: true };
    if (supply.in > 0) return supply;
  }
  const names = await driverNames(join(sysRoot, 'class/udc', controller, 'device'));
  return names.map((name) => knownSupplies[name]).find((supply) => supply !== undefined);
}

async function driverNames(device: string): Promise<readonly string[]> {
  const driver = await readlink(join(device, 'driver')).catch(() => '');
  const compatible = await readFile(join(device, 'of_node/compatible'), 'utf8').catch(() => '');
  return [...compatible.split('\0'), basename(driver)].filter((name) => name !== '');
}

/** Where the gadget tells whether the host has suspended it; undefined in a kernel that does not. */
export async function suspendedAttribute(
  sysRoot: string,
  controller: string,
): Promise<string | undefined> {
  const device = join(sysRoot, 'class/udc', controller, 'device');
  const names = await readdir(device).catch(() => []);
  for (const name of names.filter((entry) => /^gadget(\.\d+)?$/.test(entry))) {
    const path = join(device, name, 'suspended');
    if ((await readFile(path, 'utf8').catch(() => undefined)) !== undefined) return path;
  }
  return undefined;
}
