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
    eth0: [at('192.0.2.7'), at('2001:DB8::7'), at('2001:db8::a:7'), at('fe80::1')],
    gone: undefined,
  };
  const ipv6Table = [
    '20010db8000000000000000000000007 02 40 00 80     eth0',
    '20010db800000000000000000000000a 02 40 00 01     eth1',
    '20010db80000000000000000000a0007 02 40 00 201     eth0',
    'fe800000000000000000000000000001 02 40 20 80     eth0',
    '',
  ].join('\n');
  const { all, needed } = deviceNames(ownNames(['kvm.example.org'], 'Rack7'), {
    interfaces,
    ipv6Table,
  });
  const lasting = [
    ...['localhost', 'rack7', 'rack7.local', 'kvm.example.org'],
    ...['127.0.0.1', '::1', '192.0.2.7', '2001:db8::7'],
  ];
  assert.deepEqual(all, [...lasting, '2001:db8::a:7', 'fe80::1']);
  assert.deepEqual(needed, lasting, 'what is link-local or temporary is no reason');
});

it('leaves out a name no certificate can say', () => {
  assert.deepEqual(deviceNames(['bücher', 'ok'], { interfaces: {}, ipv6Table: '' }).all, [
    'ok',
    '127.0.0.1',
    '::1',
  ]);
});

it('is bounded, however many addresses are announced', () => {
  const eth0 = Array.from({ length: 1_000 }, (_, n) => at(`2001:db8::${(n + 1).toString(16)}`));
  assert.ok(deviceNames([], { interfaces: { eth0 }, ipv6Table: '' }).all.length < 70);
});
