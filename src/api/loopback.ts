import { BlockList, isIPv6 } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/**
 * Whether only programs on this machine can reach a server that listens on the IP `address`, or be the
 * client that has it. IPv4 addresses as an IPv6 socket writes them (`::ffff:127.0.0.1`) count too.
 */
export function isLoopback(address: string): boolean {
  return loopback.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}
