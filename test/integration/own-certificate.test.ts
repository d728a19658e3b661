import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmod, rm, writeFile } from 'node:fs/promises';
import { describe, it, type TestContext } from 'node:test';
import { isEarshotError } from '../../src/errors/earshot-error.ts';
import { OwnCertificate } from '../../src/tls/own-certificate.ts';
import { type OwnerPair, writeOwnerPair } from '../fixtures/owner-pair.ts';
import { type LogLine, recordingLog } from '../fixtures/supervised.ts';

const dayMs = 24 * 60 * 60 * 1_000;
const readable = 'everybody on this machine can read the file of https.key';
const ending = 'replace the certificate of https.certificate, and restart Earshot';

async function given(t: TestContext, times?: Parameters<typeof writeOwnerPair>[0]) {
  const pair = await writeOwnerPair(times);
  t.after(() => rm(pair.directory, { recursive: true }));
  const lines: LogLine[] = [];
  let nowMs = Date.now();
  const own = new OwnCertificate({ ...pair, log: recordingLog(lines), nowMs: () => nowMs });
  const warned = (words: string): number => lines.filter(({ text }) => text === words).length;
  return {
    pair,
    own,
    warned,
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

describe('the owner’s certificate', () => {
  it('is used as it is, with what is between it and its root', async (t) => {
    const { pair, own, warned } = await given(t);
    const chain = `${pair.certificatePem}${pair.certificatePem}`;
    await writeFile(pair.certificate, chain);
    const identity = await own.load();
    assert.equal(identity.own, true);
    assert.equal(identity.certificate, chain);
    assert.equal(identity.key, pair.keyPem);
    assert.equal(await own.check(), undefined);
    assert.equal(warned(readable) + warned(ending), 0);
  });

  type Fault = [name: string, spoil: (pair: OwnerPair) => Promise<void> | void, says: RegExp];
  const faults: Fault[] = [
    [
      'a certificate that is not there',
      ({ certificate }) => rm(certificate),
      /^https\.certificate: .*own\.crt cannot be read: ENOENT/,
    ],
    [
      'a key that is not there',
      ({ key }) => rm(key),
      /^https\.key: .*own\.key cannot be read: ENOENT/,
    ],
    [
      'a certificate that is none',
      ({ certificate }) => writeFile(certificate, 'words'),
      /^https\.certificate: .* holds no certificate in PEM/,
    ],
    [
      'a key that is none',
      ({ key }) => writeFile(key, 'words'),
      /^https\.key: .* holds no private key in PEM/,
    ],
    [
      'both in the wrong place',
      async ({ certificate, key, certificatePem, keyPem }) => {
        await writeFile(certificate, keyPem);
        await writeFile(key, certificatePem);
      },
      /^https\.certificate: .* holds no certificate/,
    ],
    [
      'a key behind a passphrase',
      async ({ key }) => {
        const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
        const locked = { cipher: 'aes-256-cbc', passphrase: 'x' };
        await writeFile(key, privateKey.export({ type: 'pkcs8', format: 'pem', ...locked }));
      },
      /^https\.key: .* without a passphrase/,
    ],
    [
      'the key of another certificate',
      async ({ key }) => {
        const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
        await writeFile(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
      },
      /^https\.key: .*own\.key does not belong to the certificate .*own\.crt/,
    ],
    [
      'a file without end',
      ({ certificate }) => writeFile(certificate, 'x'.repeat(300_000)),
      /^https\.certificate: .*300000 bytes/,
    ],
    [
      'a key TLS takes for too weak',
      ({ certificate, key }) => {
        const files = ['-keyout', key, '-out', certificate];
        const weak = ['-newkey', 'rsa:512', '-nodes', '-subj', '/CN=x', '-days', '9'];
        execFileSync('openssl', ['req', '-x509', ...weak, ...files], { stdio: 'ignore' });
      },
      /^https\.certificate: .* is refused: .*too small/,
    ],
  ];
  for (const [name, spoil, says] of faults) {
    it(`is refused with ${name}`, async (t) => {
      const { pair, own } = await given(t);
      await spoil(pair);
      await assert.rejects(own.load(), (error: unknown) => {
        assert.ok(isEarshotError(error, 'CONFIG_INVALID'));
        assert.match(error.message, says);
        assert.equal(error.exitCode, 78);
        return true;
      });
    });
  }

  it('is refused once it has expired', async (t) => {
    const expired = { notBeforeMs: Date.now() - 2 * dayMs, notAfterMs: Date.now() - dayMs };
    const { own } = await given(t, expired);
    await assert.rejects(own.load(), (error: unknown) => {
      assert.ok(isEarshotError(error, 'CONFIG_INVALID'));
      assert.match(error.message, /^https\.certificate: .* expired at 2/);
      return true;
    });
  });

  it('is used before its time, since a board’s clock may start in the past, with a warning', async (t) => {
    const { own, warned } = await given(t, { notBeforeMs: Date.now() + dayMs });
    await own.load();
    assert.equal(warned(ending), 1);
  });

  it('is warned of from thirty days before its end, once a day', async (t) => {
    const { own, warned, pass } = await given(t);
    await own.load();
    pass(61 * dayMs);
    for (let minute = 0; minute < 60; minute += 1) {
      await own.check();
      pass(60_000);
    }
    assert.equal(warned(ending), 1);
    pass(dayMs);
    await own.check();
    assert.equal(warned(ending), 2);
  });

  it('is warned of when everybody can read its key', async (t) => {
    const { pair, own, warned } = await given(t);
    await chmod(pair.key, 0o644);
    await own.load();
    assert.equal(warned(readable), 1);
    await chmod(pair.key, 0o640);
    await own.load();
    assert.equal(warned(readable), 1, 'a group of its own is how Debian keeps keys');
  });
});
