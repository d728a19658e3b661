import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { namesOf } from '../../../src/tls/certificate-name.ts';
import { makeCertificate } from '../../../src/tls/make-certificate.ts';

const { privateKey: key, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const names = ['rack7', 'rack7.local', '192.0.2.7', '::1', '2001:db8::7'];
const make = (changes: Partial<Parameters<typeof makeCertificate>[0]> = {}): string =>
  makeCertificate({
    key,
    commonName: 'rack7',
    names,
    notBeforeMs: Date.UTC(2026, 0, 1, 1, 2, 3, 999),
    notAfterMs: Date.UTC(2027, 1, 2, 3, 4, 5),
    ...changes,
  });

describe('makeCertificate', () => {
  const certificate = new X509Certificate(make());

  it('is signed by its own key, which it carries', () => {
    assert.ok(certificate.verify(publicKey));
    assert.ok(certificate.checkPrivateKey(key));
    assert.ok(certificate.checkIssued(certificate));
    assert.equal(certificate.subject, 'O=Earshot\nCN=rack7');
    assert.equal(certificate.issuer, certificate.subject);
  });

  it('names hosts and addresses', () => {
    assert.deepEqual([...namesOf(certificate)], names);
    assert.equal(certificate.checkHost('rack7.local'), 'rack7.local');
    assert.equal(certificate.checkHost('other'), undefined);
    assert.equal(certificate.checkIP('192.0.2.7'), '192.0.2.7');
    assert.equal(certificate.checkIP('2001:db8::7'), '2001:db8::7');
    assert.equal(certificate.checkIP('192.0.2.8'), undefined);
  });

  it('is a server and nothing else: it vouches for nobody', () => {
    assert.equal(certificate.ca, false);
    assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1']);
  });

  it('holds between its times, to the second', () => {
    assert.equal(Date.parse(certificate.validFrom), Date.UTC(2026, 0, 1, 1, 2, 3));
    assert.equal(Date.parse(certificate.validTo), Date.UTC(2027, 1, 2, 3, 4, 5));
  });

  it('writes times past 2049, and before 1970, so that they are read back', () => {
    const far = new X509Certificate(
      make({ notBeforeMs: Date.UTC(1969, 11, 31), notAfterMs: Date.UTC(2051, 0, 1) }),
    );
    assert.equal(Date.parse(far.validFrom), Date.UTC(1969, 11, 31));
    assert.equal(Date.parse(far.validTo), Date.UTC(2051, 0, 1));
  });

  it('has another serial number each time, positive and of at most 20 bytes', () => {
    const serials = Array.from({ length: 50 }, () => new X509Certificate(make()).serialNumber);
    assert.equal(new Set(serials).size, serials.length);
    for (const serial of serials) assert.match(serial, /^[4-7][0-9A-F]{31}$/);
  });

  it('takes many names, and a long name of the host', () => {
    const many = Array.from({ length: 300 }, (_, n) => `host-${n}.example.org`);
    const large = new X509Certificate(make({ names: many, commonName: 'x'.repeat(200) }));
    assert.equal(namesOf(large).size, 300);
    assert.ok(large.subject.endsWith(`CN=${'x'.repeat(64)}`));
  });

  it('is what OpenSSL calls strictly right, and trusts when told to', (t) => {
    const input = make({ notBeforeMs: Date.now() - 1_000, notAfterMs: Date.now() + 1e9 });
    const text = execFileSync('openssl', ['x509', '-noout', '-text'], { input, encoding: 'utf8' });
    for (const expected of [
      /X509v3 Basic Constraints: critical\s+CA:FALSE/,
      /X509v3 Extended Key Usage:\s+TLS Web Server Authentication\n/,
      /X509v3 Subject Key Identifier/,
      /Signature Algorithm: ecdsa-with-SHA256/,
      /DNS:rack7, DNS:rack7\.local, IP Address:192\.0\.2\.7/,
    ]) {
      assert.match(text, expected);
    }
    const directory = mkdtempSync(join(tmpdir(), 'earshot-x509-'));
    t.after(() => rmSync(directory, { recursive: true }));
    const file = join(directory, 'certificate.pem');
    writeFileSync(file, input);
    const strictly = ['-x509_strict', '-purpose', 'sslserver', '-verify_hostname', 'rack7.local'];
    execFileSync('openssl', ['verify', ...strictly, '-CAfile', file, file], { stdio: 'pipe' });
  });
});
