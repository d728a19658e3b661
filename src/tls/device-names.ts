import { readFileSync } from 'node:fs';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { canBeNamed, canonicalName } from './certificate-name.ts';

/** What the device's certificate should name. */
export interface DeviceNames {
  /** Everything a certificate that is made now names. */
  readonly all: readonly string[];
  /** What it must name; when one is missing, the certificate is made anew. */
  readonly needed: readonly string[];
}

/** What the kernel says of the device's addresses. */
export interface DeviceAddresses {
  readonly interfaces: Readonly<Record<string, NetworkInterfaceInfo[] | undefined>>;
  /** The text of /proc/net/if_inet6; empty where there is no IPv6. */
  readonly ipv6Table: string;
}

/** More addresses than any device has; somebody who announces prefixes could give it any number. */
const maxAddresses = 64;

/**
 * The names people reach the device by, and every address it has now. Two kinds of IPv6 address are
 * named but never a reason to make a certificate: link-local ones, since browsers take no address with
 * a zone and each virtual interface brings one; and temporary ones (RFC 8981), which the kernel changes
 * every day and nobody types.
 */
export function deviceNames(
  hostNames: Iterable<string>,
  { interfaces, ipv6Table }: DeviceAddresses = readAddresses(),
): DeviceNames {
  const addresses = Object.values(interfaces)
    .flatMap((list) => list ?? [])
    .map(({ address }) => address.replace(/%.*$/, ''));
  const names = [...hostNames, '127.0.0.1', '::1', ...addresses.slice(0, maxAddresses)];
  const all = [...new Set(names.filter(canBeNamed).map(canonicalName))];
  const temporary = temporaryAddresses(ipv6Table);
  return {
    all,
    needed: all.filter((name) => !/^fe[89ab][0-9a-f]:/.test(name) && !temporary.has(name)),
  };
}

function readAddresses(): DeviceAddresses {
  const interfaces = networkInterfaces();
  try {
    return { interfaces, ipv6Table: readFileSync('/proc/net/if_inet6', 'utf8') };
  } catch {
    // No IPv6 here, or no Linux: nothing is known to be temporary.
    return { interfaces, ipv6Table: '' };
  }
}

/** IFA_F_TEMPORARY of linux/if_addr.h. */
const temporaryFlag = 0x01;

/** Lines of: the address as 32 digits, interface, prefix length, scope, flags (all hexadecimal), name. */
function temporaryAddresses(ipv6Table: string): ReadonlySet<string> {
  const lines = ipv6Table.matchAll(/^([0-9a-f]{32}) \S+ \S+ \S+ ([0-9a-f]+) /gm);
  return new Set(
    [...lines]
      .filter(([, , flags = '0']) => (Number.parseInt(flags, 16) & temporaryFlag) !== 0)
      .map(([, digits = '']) => canonicalName(digits.replace(/(.{4})(?!$)/g, '$1:'))),
  );
}
