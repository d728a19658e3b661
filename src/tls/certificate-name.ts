import type { X509Certificate } from 'node:crypto';
import { isIP, isIPv6, SocketAddress } from 'node:net';

/** Names of a certificate (subjectAltName): host names and IP addresses, each in one form. */

/** Small letters for a host name, the shortest form for an IPv6 address (RFC 5952). */
export function canonicalName(name: string): string {
  if (!isIPv6(name)) return name.toLowerCase();
  return new SocketAddress({ address: name, family: 'ipv6' }).address;
}

/** Whether a certificate can name it: an IP address, or a host name in ASCII (RFC 5280 §4.2.1.6). */
export function canBeNamed(name: string): boolean {
  return (
    isIP(name) !== 0 || (name.length <= 253 && /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/i.test(name))
  );
}

/** The bytes of an IP address, 4 or 16. */
export function addressBytes(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split('.').map(Number));
  const [before = '', after] = canonicalName(address).split('::');
  const head = groups(before);
  const tail = groups(after ?? '');
  const bytes = Buffer.alloc(16);
  for (const [at, group] of head.entries()) bytes.writeUInt16BE(group, at * 2);
  for (const [at, group] of tail.entries()) {
    bytes.writeUInt16BE(group, 16 - (tail.length - at) * 2);
  }
  return bytes;
}

/** The names a certificate has, canonical. */
export function namesOf({ subjectAltName = '' }: X509Certificate): ReadonlySet<string> {
  const entries = subjectAltName
    .split(', ')
    .map((entry) => /^(?:DNS|IP Address):(.+)$/.exec(entry));
  return new Set(entries.flatMap((entry) => (entry?.[1] ? [canonicalName(entry[1])] : [])));
}

/** The 16-bit groups of one side of `::`; the last two may be written as an IPv4 address. */
function groups(text: string): number[] {
  return text
    .split(':')
    .filter((group) => group !== '')
    .flatMap((group) => {
      if (!group.includes('.')) return [Number.parseInt(group, 16)];
      const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
      return [a * 256 + b, c * 256 + d];
    });
}
