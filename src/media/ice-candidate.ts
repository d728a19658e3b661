import { BlockList, isIP } from 'node:net';

/** A remote candidate that can be tried: UDP to a literal unicast address. */
export interface RemoteCandidate {
  readonly foundation: string;
  readonly priority: number;
  readonly address: string;
  readonly port: number;
  readonly type: 'host' | 'srflx' | 'relay';
}

/** RFC 8839 §5.1, component 1 over UDP. */
const candidateLine =
  /^(?:a=)?candidate:([A-Za-z0-9+/]{1,32}) 1 udp (\d{1,10}) (\S{2,45}) (\d{1,5}) typ (host|srflx|relay)(?: |$)/i;

/** Where a check must never be sent: unspecified, broadcast, multicast, link-local IPv6. */
const notUnicast = new BlockList();
notUnicast.addSubnet('0.0.0.0', 8, 'ipv4');
notUnicast.addAddress('255.255.255.255', 'ipv4');
notUnicast.addSubnet('224.0.0.0', 4, 'ipv4');
notUnicast.addAddress('::', 'ipv6');
notUnicast.addSubnet('ff00::', 8, 'ipv6');
// Needs a zone, which a candidate cannot carry (RFC 8839 §5.1).
notUnicast.addSubnet('fe80::', 10, 'ipv6');

/** A name that a browser made up for one page (draft-ietf-mmusic-mdns-ice-candidates §3.1.1). */
const mdnsName = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.local$/i;

/** The mDNS name that stands in the place of the address; undefined where there is none. */
export function mdnsNameOf(line: string): string | undefined {
  const name = candidateLine.exec(line)?.[3];
  return name !== undefined && mdnsName.test(name) ? name.toLowerCase() : undefined;
}

/** The ICE fragment that a browser adds to its candidates (RFC 8839 §5.1, extension `ufrag`); undefined where it is not. */
export function fragmentOf(line: string): string | undefined {
  return / ufrag (\S{4,256})(?: |$)/.exec(line)?.[1];
}

/**
 * Reads a candidate line of the viewer; undefined for one that is malformed or cannot be tried. A name
 * is none, unless it is an mDNS one and `resolved` is its address; no other name is ever looked up.
 */
export function readCandidate(line: string, resolved?: string): RemoteCandidate | undefined {
  const match = candidateLine.exec(line);
  if (match === null) return undefined;
  const [, foundation = '', priority = '', named = '', port = '', type = ''] = match;
  const address = resolved !== undefined && mdnsName.test(named) ? resolved : named;
  const version = isIP(address);
  if (version === 0 || notUnicast.check(address, version === 4 ? 'ipv4' : 'ipv6')) return undefined;
  const portNumber = Number(port);
  if (portNumber < 1 || portNumber > 65_535 || Number(priority) > 0x7fffffff) return undefined;
  return {
    foundation,
    priority: Number(priority),
    address,
    port: portNumber,
    type: typeOf(type.toLowerCase()),
  };
}

function typeOf(type: string): RemoteCandidate['type'] {
  return type === 'srflx' || type === 'relay' ? type : 'host';
}
