import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { namesOf } from '../../src/tls/certificate-name.ts';
import { DeviceCertificate } from '../../src/tls/device-certificate.ts';
import type { DeviceNames } from '../../src/tls/device-names.ts';
import type { TlsIdentity } from '../../src/tls/identity.ts';
import { makeCertificate } from '../../src/tls/make-certificate.ts';
import { type LogLine, recordingLog } from '../fixtures/supervised.ts';

const dayMs = 24 * 60 * 60 * 1_000;
const startMs = Date.UTC(2026, 5, 1);

let root = '';
let directory = '';
let path = '';
let nowMs = startMs;
let names: DeviceNames = { all: [], needed: [] };

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'earshot-tls-'));
});
after(() => rm(root, { recursive: true }));
beforeEach(async () => {
  directory = join(await mkdtemp(join(root, 'case-')), 'tls');
  path = join(directory, 'device.pem');
  nowMs = startMs;
  names = { all: ['desk', '192.0.2.7'], needed: ['desk', '192.0.2.7'] };
});

/** A new start of the program, over the same files. */
function start() {
  const lines: LogLine[] = [];
  const certificate = new DeviceCertificate({
    directory,
    names: () => names,
    log: recordingLog(lines),
    nowMs: () => nowMs,
  });
  const said = (text: string) =>
    lines.filter((line) => line.text === text).map(({ fields }) => fields);
  return { certificate, said };
}

const parsed = ({ certificate }: TlsIdentity) => new X509Certificate(certificate);
const publicKeyOf = (identity: TlsIdentity) =>
  parsed(identity).publicKey.export({ type: 'spki', format: 'der' }).toString('hex');

describe('the device’s certificate', () => {
  it('is made at first start, for its names and 397 days, in a file only its user can read', async () => {
    const { certificate, said } = start();
    const identity = await certificate.load();
    const made = parsed(identity);
    assert.deepEqual([...namesOf(made)], names.all);
    assert.equal(Date.parse(made.validTo) - Date.parse(made.validFrom), 397 * dayMs);
    assert.ok(Date.parse(made.validFrom) < nowMs);
    assert.equal(made.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
    assert.equal(identity.expiresUnixMs, Date.parse(made.validTo));
    assert.equal(identity.fingerprint256, made.fingerprint256);
    assert.equal(identity.own, false);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal((await stat(directory)).mode & 0o777, 0o700);
    assert.deepEqual(await readdir(directory), ['device.pem']);
    assert.equal(said('device certificate made')[0]?.['reason'], 'there is none yet');
  });

  it('stays at the next start, and when names it has are gone', async () => {
    const first = await start().certificate.load();
    names = { all: ['desk'], needed: ['desk'] };
    const { certificate, said } = start();
    assert.deepEqual(await certificate.load(), first);
    assert.equal(await certificate.check(), undefined);
    assert.equal(said('device certificate made').length, 0);
  });

  it('is made anew thirty days before its end, at start and while it runs, with the same key', async () => {
    const { certificate, said } = start();
    const first = await certificate.load();
    nowMs = first.expiresUnixMs - 30 * dayMs - 1;
    assert.equal(await certificate.check(), undefined);
    nowMs += 1;
    const second = await certificate.check();
    assert.ok(second);
    assert.notEqual(second.fingerprint256, first.fingerprint256);
    assert.equal(publicKeyOf(second), publicKeyOf(first));
    assert.match(String(said('device certificate made').at(-1)?.['reason']), /^it expires at/);
    assert.equal(await certificate.check(), undefined);
    assert.deepEqual(await start().certificate.load(), second);
    nowMs = second.expiresUnixMs + dayMs;
    const third = start();
    assert.equal(publicKeyOf(await third.certificate.load()), publicKeyOf(first));
    assert.match(String(third.said('device certificate made')[0]?.['reason']), /^it expired at/);
  });

  it('is made anew once the clock is right, on a board that starts in 1970', async () => {
    nowMs = 60_000;
    const { certificate } = start();
    const first = await certificate.load();
    nowMs = startMs;
    const second = await certificate.check();
    assert.ok(second && second.expiresUnixMs > startMs);
    assert.equal(publicKeyOf(second), publicKeyOf(first));
    nowMs = 0;
    assert.ok(await certificate.check(), 'the clock has gone back to before it');
  });

  it('is made anew when it lacks a name or an address, and says which', async () => {
    const { certificate, said } = start();
    await certificate.load();
    names = { all: ['desk', '198.51.100.9', 'fe80::1'], needed: ['desk', '198.51.100.9'] };
    const second = await certificate.check();
    assert.ok(second);
    assert.deepEqual([...namesOf(parsed(second))], names.all);
    const reason = said('device certificate made').at(-1)?.['reason'];
    assert.equal(reason, 'it does not name 198.51.100.9');
    names = { all: ['shelf'], needed: ['shelf'] };
    const renamed = start();
    await renamed.certificate.load();
    assert.equal(renamed.said('device certificate made')[0]?.['reason'], 'it does not name shelf');
  });

  it('is not made anew without end while addresses come and go', async () => {
    const { certificate } = start();
    await certificate.load();
    let made = 0;
    for (let n = 0; n < 100; n += 1) {
      nowMs += 60_000;
      names = { all: [`2001:db8::${n}`], needed: [`2001:db8::${n}`] };
      if ((await certificate.check()) !== undefined) made += 1;
    }
    assert.equal(made, 6);
    nowMs += dayMs;
    assert.ok(await certificate.check(), 'the next day it may be again');
  });
});

describe('a file of the device’s certificate that cannot be used', () => {
  const p256 = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const pemOf = (key: ReturnType<typeof p256>) =>
    key.export({ type: 'pkcs8', format: 'pem' }).toString();
  const certificateOf = (key: ReturnType<typeof p256>) =>
    makeCertificate({
      key,
      commonName: 'desk',
      names: names.all,
      notBeforeMs: nowMs,
      notAfterMs: nowMs + 100 * dayMs,
    });

  const faults: [name: string, text: () => string, fault: RegExp, keyKept: boolean][] = [
    ['nothing', () => '', /no EC P-256 key/, false],
    ['noise', () => 'noise\0'.repeat(100), /no EC P-256 key/, false],
    ['too much', () => pemOf(p256()).repeat(1_000), /cannot be read.*too many/, false],
    ['half a key', () => pemOf(p256()).slice(0, 100), /no EC P-256 key/, false],
    [
      'another kind of key',
      () => pemOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey),
      /no EC P-256 key/,
      false,
    ],
    ['a key alone', () => pemOf(p256()), /no certificate/, true],
    [
      'half a certificate',
      () => {
        const key = p256();
        const lines = certificateOf(key).split('\n');
        return `${pemOf(key)}${[...lines.slice(0, 3), ...lines.slice(-2)].join('\n')}`;
      },
      /certificate is none/,
      true,
    ],
    [
      'the certificate of another key',
      () => `${pemOf(p256())}${certificateOf(p256())}`,
      /for another key/,
      true,
    ],
  ];
  for (const [name, text, fault, keyKept] of faults) {
    it(`with ${name} is set aside and made anew${keyKept ? ', with its key' : ''}`, async () => {
      const content = text();
      await mkdir(directory, { recursive: true });
      await writeFile(path, content, { mode: 0o600 });
      const { certificate, said } = start();
      const identity = await certificate.load();
      const [aside] = said('device certificate set aside');
      assert.match(String(aside?.['fault']), fault);
      assert.equal(await readFile(String(aside?.['keptAs']), 'utf8'), content);
      assert.equal(said('device certificate made')[0]?.['keyKept'], keyKept);
      assert.equal(content.includes(identity.key), keyKept);
      assert.deepEqual(await start().certificate.load(), identity);
    });
  }

  it('is set aside when it is a directory', async () => {
    await mkdir(path, { recursive: true });
    const { certificate, said } = start();
    const identity = await certificate.load();
    assert.equal(said('device certificate set aside').length, 1);
    assert.deepEqual(await start().certificate.load(), identity);
  });

  it('gets its mode back when others could read it', async () => {
    const identity = await start().certificate.load();
    await chmod(path, 0o644);
    const { certificate, said } = start();
    assert.deepEqual(await certificate.load(), identity);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal(
      said('others could read the key of the device certificate; its file is 0600 again').length,
      1,
    );
  });

  it('is no matter when a crash left it half written beside', async () => {
    const identity = await start().certificate.load();
    await writeFile(`${path}.tmp`, identity.key.slice(0, 50));
    assert.deepEqual(await start().certificate.load(), identity);
  });

  it('serves without a file where none can be written, says so once, and writes it when it can', async () => {
    await writeFile(directory, 'in the way');
    const { certificate, said } = start();
    const identity = await certificate.load();
    assert.equal(await certificate.check(), undefined);
    const errors = said(
      'the device certificate cannot be kept: browsers will ask about another one after a restart',
    );
    assert.equal(errors.length, 1);
    await rm(directory);
    assert.equal(await certificate.check(), undefined);
    assert.deepEqual(await start().certificate.load(), identity);
  });
});
