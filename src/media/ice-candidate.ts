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

/** Where a check must never be sent: unspecified, broadcast, multicast. */
const notUnicast = new BlockList();
notUnicast.addSubnet('0.0.0.0', 8, 'ipv4');
notUnicast.addAddress('255.255.255.255', 'ipv4');
notUnicast.addSubnet('224.0.0.0', 4, 'ipv4');
notUnicast.addAddress('::', 'ipv6');
notUnicast.addSubnet('ff00::', 8, 'ipv6');

/**
 * Reads a candidate line of the viewer; undefined for one that is malformed or cannot be tried. Names
 * (`….local` of mDNS among them) are not resolved: such a viewer sends checks to the device's own
 * candidates, and is then known by where they come from (peer-reflexive, RFC 8445 §7.3.1.3).
 */
export function readCandidate(line: string): RemoteCandidate | undefined {
  const match = candidateLine.exec(line);
  if (match === null) return undefined;
  const [, foundation = '', priority = '', address = '', port = '', type = ''] = match;
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
