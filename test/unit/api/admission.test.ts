import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AdmissionRequest, admit, hostName, ownNames } from '../../../src/api/admission.ts';

const names = ownNames(['kvm.example.org'], 'Rack7.lan');

function verdict(changes: Partial<AdmissionRequest>): string {
  try {
    admit(
      {
        listener: 'http',
        method: 'GET',
        upgrade: false,
        host: '192.168.1.5:8080',
        origin: undefined,
        fetchSite: undefined,
        ...changes,
      },
      names,
    );
    return 'admitted';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'thrown';
  }
}

describe('admission by Host', () => {
  const good = [
    '127.0.0.1',
    '127.0.0.1:8080',
    '192.168.1.5:1',
    '[::1]',
    '[::1]:8080',
    '[FE80::1]:8080',
    'localhost',
    'LOCALHOST:8080',
    'localhost.',
    'rack7',
    'rack7.local',
    'Rack7.lan:8080',
    'rack7.lan.local',
    'kvm.example.org',
    'KVM.example.org:443',
  ];
  for (const host of good) {
    it(`admits ${host}`, () => assert.equal(verdict({ host }), 'admitted'));
  }

  const bad = [
    undefined,
    '',
    'evil.example',
    'evil.example:8080',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    'rack7.evil.example',
    'user@127.0.0.1',
    '127.0.0.1/evil',
    '[::1',
    '::1',
    '[evil]',
    '127.0.0.1:port',
    '127.0.0.1:8080:1',
    ' 127.0.0.1',
    '0x7f000001',
    '2130706433',
  ];
  for (const host of bad) {
    it(`refuses ${JSON.stringify(host)}`, () => {
      assert.equal(verdict({ host }), 'API_HOST_REFUSED');
      assert.equal(verdict({ host, upgrade: true }), 'API_HOST_REFUSED');
    });
  }
});

describe('admission by Origin', () => {
  const host = 'rack7:8080';
  const cases: [origin: string | undefined, expected: string][] = [
    [undefined, 'admitted'],
    ['http://rack7:8080', 'admitted'],
    ['http://RACK7:8080', 'admitted'],
    ['https://rack7:8080', 'API_ORIGIN_REFUSED'],
    ['http://rack7', 'API_ORIGIN_REFUSED'],
    ['http://rack7:8081', 'API_ORIGIN_REFUSED'],
    ['http://evil.example', 'API_ORIGIN_REFUSED'],
    ['http://rack7.evil.example:8080', 'API_ORIGIN_REFUSED'],
    ['null', 'API_ORIGIN_REFUSED'],
    ['', 'API_ORIGIN_REFUSED'],
    ['file://', 'API_ORIGIN_REFUSED'],
    ['ftp://rack7:8080', 'API_ORIGIN_REFUSED'],
    ['blob:http://rack7:8080/1', 'API_ORIGIN_REFUSED'],
  ];
  for (const [origin, expected] of cases) {
    it(`${expected} for ${JSON.stringify(origin)}`, () => {
      assert.equal(verdict({ host, origin, method: 'POST' }), expected);
      assert.equal(verdict({ host, origin, method: 'DELETE' }), expected);
      assert.equal(verdict({ host, origin, upgrade: true }), expected);
    });
  }

  it('takes only a page of the same scheme, whatever its port', () => {
    const https = { listener: 'https', host: 'rack7:8443', method: 'POST' } as const;
    assert.equal(verdict({ ...https, origin: 'https://rack7:8443' }), 'admitted');
    assert.equal(verdict({ ...https, origin: 'http://rack7:8443' }), 'API_ORIGIN_REFUSED');
    assert.equal(verdict({ ...https, origin: 'https://rack7:8080' }), 'API_ORIGIN_REFUSED');
    assert.equal(
      verdict({ ...https, host: 'rack7', origin: 'http://rack7:443' }),
      'API_ORIGIN_REFUSED',
    );
  });

  it('takes a default port that one side leaves out for the same', () => {
    const post = { method: 'POST', listener: 'https' } as const;
    assert.equal(verdict({ host: 'rack7', origin: 'http://rack7:80', method: 'POST' }), 'admitted');
    assert.equal(verdict({ ...post, host: 'rack7:443', origin: 'https://rack7' }), 'admitted');
    assert.equal(verdict({ ...post, host: 'rack7', origin: 'https://rack7:443' }), 'admitted');
    assert.equal(
      verdict({ ...post, host: 'rack7:80', origin: 'https://rack7' }),
      'API_ORIGIN_REFUSED',
    );
  });

  it('does not ask where a plain read comes from: no other page can see the answer', () => {
    assert.equal(verdict({ host, origin: 'http://evil.example' }), 'admitted');
    assert.equal(verdict({ host, origin: 'http://evil.example', method: 'HEAD' }), 'admitted');
  });

  it('believes a browser that says the request crosses sites', () => {
    assert.equal(verdict({ host, fetchSite: 'cross-site', method: 'POST' }), 'API_ORIGIN_REFUSED');
    assert.equal(verdict({ host, fetchSite: 'same-site', method: 'POST' }), 'API_ORIGIN_REFUSED');
    assert.equal(verdict({ host, fetchSite: 'same-origin', method: 'POST' }), 'admitted');
    assert.equal(verdict({ host, fetchSite: 'none', method: 'POST' }), 'admitted');
  });
});

describe('admission on the control socket', () => {
  it('asks for no Host and refuses every page', () => {
    const control = { listener: 'control', host: undefined, method: 'POST' } as const;
    assert.equal(verdict(control), 'admitted');
    assert.equal(verdict({ ...control, origin: 'http://localhost' }), 'API_ORIGIN_REFUSED');
  });
});

describe('hostName', () => {
  it('takes port, brackets, case and final dot away', () => {
    assert.equal(hostName('A.b.:80'), 'a.b');
    assert.equal(hostName('[::1]:80'), '::1');
  });
});
