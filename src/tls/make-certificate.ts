import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { addressBytes } from './certificate-name.ts';
import {
  bitString,
  derTrue,
  explicit,
  implicit,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  set,
  time,
  utf8String,
} from './der.ts';

export interface CertificateRequest {
  /** The private key, EC P-256; the certificate is signed with it too. */
  readonly key: KeyObject;
  /** Whom people see it is for; its first 64 characters are used. */
  readonly commonName: string;
  /** Host names and IP addresses it is valid for. */
  readonly names: Iterable<string>;
  /** Unix time in ms, cut to the second. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/**
 * Makes a self-signed certificate of an HTTPS server (RFC 5280; ECDSA with SHA-256, RFC 5758), as PEM.
 *
 * It is an end entity (`cA` false), so whoever trusts it trusts this device and nothing else: with a
 * `cA` certificate, the key of a stolen device could vouch for every site. Browsers and operating
 * systems of desktops import such a one as trusted, OpenSSL takes it as its own anchor.
 */
export function makeCertificate(request: CertificateRequest): string {
  const publicKey = createPublicKey(request.key).export({ type: 'spki', format: 'der' });
  const name = distinguishedName(request.commonName);
  const toBeSigned = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(serialNumber()),
    signatureAlgorithm,
    name,
    sequence(time(request.notBeforeMs), time(request.notAfterMs)),
    name,
    publicKey,
    explicit(3, sequence(...extensions(publicKey, request.names))),
  );
  const certificate = sequence(
    toBeSigned,
    signatureAlgorithm,
    bitString(sign('sha256', toBeSigned, request.key)),
  );
  return pem('CERTIFICATE', certificate);
}

const signatureAlgorithm = sequence(objectIdentifier('1.2.840.10045.4.3.2'));

/** Positive, 20 bytes at most, and not to be guessed (RFC 5280 §4.1.2.2). */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

function distinguishedName(commonName: string): Buffer {
  const attribute = (type: string, value: string): Buffer =>
    set(sequence(objectIdentifier(type), utf8String(value)));
  return sequence(attribute('2.5.4.10', 'Earshot'), attribute('2.5.4.3', commonName.slice(0, 64)));
}

/**
 * RFC 5280 §4.2.1: what the key is for, and the names. There is no keyUsage: OpenSSL before 3.0 takes a
 * certificate that may not sign certificates for one that somebody else has issued, and looks for them.
 */
function extensions(publicKey: Buffer, names: Iterable<string>): Buffer[] {
  const extension = (type: string, value: Buffer, critical = false): Buffer =>
    sequence(objectIdentifier(type), ...(critical ? [derTrue] : []), octetString(value));
  const serverAuth = sequence(objectIdentifier('1.3.6.1.5.5.7.3.1'));
  return [
    extension('2.5.29.19', sequence(), true),
    extension('2.5.29.37', serverAuth),
    extension('2.5.29.14', octetString(keyIdentifier(publicKey))),
    extension('2.5.29.17', sequence(...[...names].map(generalName))),
  ];
}

/** RFC 7093 §2, method 4: a hash of the whole SubjectPublicKeyInfo. */
function keyIdentifier(publicKey: Buffer): Buffer {
  return createHash('sha256').update(publicKey).digest().subarray(0, 20);
}

function generalName(name: string): Buffer {
  return isIP(name) === 0 ? implicit(2, Buffer.from(name)) : implicit(7, addressBytes(name));
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
