import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { httpsLocation, strictTransportSecurity } from '../../../src/api/https-redirect.ts';

describe('httpsLocation', () => {
  const cases: [host: string, target: string, port: number, expected: string | undefined][] = [
    ['rack7:8080', '/', 8443, 'https://rack7:8443/'],
    ['rack7', '/api/v1/status?a=b&c', 8443, 'https://rack7:8443/api/v1/status?a=b&c'],
    ['rack7:8080', '/a', 443, 'https://rack7/a'],
    ['[2001:db8::7]:8080', '/a', 8443, 'https://[2001:db8::7]:8443/a'],
    ['RACK7.:80', '/A%2fb', 8443, 'https://rack7:8443/A%2fb'],
    ['rack7', '//evil.example/x', 8443, 'https://rack7:8443//evil.example/x'],
    ['rack7', 'http://evil.example/x?y', 8443, 'https://rack7:8443/x?y'],
    ['rack7', 'http://evil.example', 8443, 'https://rack7:8443/'],
    ['rack7', '?q', 8443, 'https://rack7:8443/?q'],
    ['rack7', '*', 8443, undefined],
    ['rack7', 'evil.example:443', 8443, undefined],
    ['rack7@evil.example', '/', 8443, undefined],
  ];
  for (const [host, target, port, expected] of cases) {
    it(`sends ${target} of ${host} to ${expected ?? 'nowhere'}`, () =>
      assert.equal(httpsLocation({ host, target, port }), expected));
  }
});

describe('strictTransportSecurity', () => {
  it('is for the owner’s certificate on the standard ports, and nothing else', () => {
    const standard = { own: true, httpPort: 80, httpsPort: 443 };
    assert.equal(strictTransportSecurity(standard), 'max-age=2592000');
    assert.equal(strictTransportSecurity({ ...standard, own: false }), undefined);
    assert.equal(strictTransportSecurity({ ...standard, httpPort: 8080 }), undefined);
    assert.equal(strictTransportSecurity({ ...standard, httpsPort: 8443 }), undefined);
  });
});
