import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secureAddress } from '../../../src/web/secure-address.ts';

const https = {
  url: 'https://192.0.2.1:8443/',
  port: 8443,
  fingerprint256: 'AB:CD',
  expiresUnixMs: 0,
  own: false,
};

test('the address over HTTPS keeps the name the page was opened by', () => {
  assert.equal(secureAddress(https, { hostname: 'kvm.local' }), 'https://kvm.local:8443/');
  assert.equal(secureAddress(https, { hostname: '[fd00::2]' }), 'https://[fd00::2]:8443/');
});

test('the port of HTTPS itself is not named', () => {
  assert.equal(secureAddress({ ...https, port: 443 }, { hostname: 'kvm' }), 'https://kvm/');
});

test('there is none before the certificate is ready', () => {
  assert.equal(secureAddress(null, { hostname: 'kvm.local' }), '');
});
