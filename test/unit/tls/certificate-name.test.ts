import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addressBytes, canBeNamed, canonicalName } from '../../../src/tls/certificate-name.ts';

describe('canonicalName', () => {
  const cases = [
    ['Rack7.LAN', 'rack7.lan'],
    ['192.0.2.7', '192.0.2.7'],
    ['FE80:0:0:0:0:0:0:1', 'fe80::1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['2001:DB8::', '2001:db8::'],
  ] as const;
  for (const [name, expected] of cases) {
    it(`writes ${name} as ${expected}`, () => assert.equal(canonicalName(name), expected));
  }
});

describe('addressBytes', () => {
  const cases = [
    ['192.0.2.7', 'c0000207'],
    ['::', '00000000000000000000000000000000'],
    ['::1', '00000000000000000000000000000001'],
    ['2001:db8::', '20010db8000000000000000000000000'],
    ['fe80::fc:ff:fe00:1', 'fe8000000000000000fc00fffe000001'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['::ffff:192.0.2.7', '00000000000000000000ffffc0000207'],
  ] as const;
  for (const [address, expected] of cases) {
    it(`of ${address}`, () => assert.equal(addressBytes(address).toString('hex'), expected));
  }
});

describe('canBeNamed', () => {
  it('takes host names and addresses', () => {
    for (const name of ['desk', 'a.b-c.example', 'under_score', '10.0.0.1', '::1', 'x']) {
      assert.ok(canBeNamed(name), name);
    }
  });

  it('refuses what no certificate can say', () => {
    for (const name of ['', 'bücher', 'a b', '.', '-a', 'a,DNS:b', 'a'.repeat(254)]) {
      assert.ok(!canBeNamed(name), name);
    }
  });
});
