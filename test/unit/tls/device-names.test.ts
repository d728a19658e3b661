import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { it } from 'node:test';
import { ownNames } from '../../../src/api/admission.ts';
import { deviceNames } from '../../../src/tls/device-names.ts';

const at = (address: string): NetworkInterfaceInfo => ({
  ...{ address, netmask: '', mac: '', internal: false, cidr: null },
  ...(address.includes(':') ? { family: 'IPv6', scopeid: 0 } : { family: 'IPv4' }),
});

it('names the host, its .local name, localhost, what the owner allowed, and every address', () => {
  const interfaces = {
    lo: [at('127.0.0.1'), at('::1')],
    eth0: [at('192.0.2.7'), at('2001:DB8::7'), at('fe80::1')],
    gone: undefined,
  };
  const { all, needed } = deviceNames(ownNames(['kvm.example.org'], 'Rack7'), interfaces);
  const lasting = [
    ...['localhost', 'rack7', 'rack7.local', 'kvm.example.org'],
    ...['127.0.0.1', '::1', '192.0.2.7', '2001:db8::7'],
  ];
  assert.deepEqual(all, [...lasting, 'fe80::1']);
  assert.deepEqual(needed, lasting, 'a link-local address is no reason for another certificate');
});

it('leaves out a name no certificate can say', () => {
  assert.deepEqual(deviceNames(['bücher', 'ok'], {}).all, ['ok', '127.0.0.1', '::1']);
});

it('is bounded, however many addresses are announced', () => {
  const eth0 = Array.from({ length: 1_000 }, (_, n) => at(`2001:db8::${(n + 1).toString(16)}`));
  assert.ok(deviceNames([], { eth0 }).all.length < 70);
});
