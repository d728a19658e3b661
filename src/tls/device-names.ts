import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { canBeNamed, canonicalName } from './certificate-name.ts';

/** What the device's certificate should name. */
export interface DeviceNames {
  /** Everything a certificate that is made now names. */
  readonly all: readonly string[];
  /** What it must name; when one is missing, the certificate is made anew. */
  readonly needed: readonly string[];
}

/** More addresses than any device has; somebody who announces prefixes could give it any number. */
const maxAddresses = 64;

/**
 * The names people reach the device by, and every address it has now. A link-local IPv6 address is
 * named but never a reason to make a certificate: browsers take no address with a zone, and each
 * virtual interface that comes up brings one.
 */
export function deviceNames(
  hostNames: Iterable<string>,
  interfaces: Readonly<Record<string, NetworkInterfaceInfo[] | undefined>> = networkInterfaces(),
): DeviceNames {
  const addresses = Object.values(interfaces)
    .flatMap((list) => list ?? [])
    .map(({ address }) => address.replace(/%.*$/, ''));
  const names = [...hostNames, '127.0.0.1', '::1', ...addresses.slice(0, maxAddresses)];
  const all = [...new Set(names.filter(canBeNamed).map(canonicalName))];
  return { all, needed: all.filter((name) => !/^fe[89ab][0-9a-f]:/.test(name)) };
}
