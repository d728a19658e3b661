import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { open } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { EarshotError, messageOf } from '../errors/earshot-error.ts';
import type { Log } from '../log/log.ts';
import { timeReason } from './certificate-renewal.ts';
import { type IdentitySource, identityOf, type TlsIdentity } from './identity.ts';

const dayMs = 24 * 60 * 60 * 1_000;
const maxFileBytes = 256 * 1024;

export interface OwnCertificateOptions {
  /** PEM file of the certificate and those between it and its root: `https.certificate`. */
  readonly certificate: string;
  /** PEM file of its key: `https.key`. */
  readonly key: string;
  readonly log: Log;
  /** Unix time in ms. */
  readonly nowMs?: () => number;
}

/** The owner's own key and certificate, read once. Only their owner can renew them; this one warns. */
export class OwnCertificate implements IdentitySource {
  readonly #options: OwnCertificateOptions;
  readonly #nowMs: () => number;
  #identity: TlsIdentity | undefined;
  #warnedMs = Number.NEGATIVE_INFINITY;

  constructor(options: OwnCertificateOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? Date.now;
  }

  /** Throws CONFIG_INVALID, which names the key of the configuration and what is wrong with its file. */
  async load(): Promise<TlsIdentity> {
    const { certificate: certificatePath, key: keyPath, log } = this.#options;
    const certificate = await readPem('https.certificate', certificatePath);
    const key = await readPem('https.key', keyPath);
    const parsed = parseCertificate(certificatePath, certificate.text);
    if (!parsed.checkPrivateKey(parseKey(keyPath, key.text))) {
      throw refused('https.key', keyPath, `does not belong to the certificate ${certificatePath}`);
    }
    const identity = identityOf({ key: key.text, certificate: certificate.text, own: true });
    if (identity.expiresUnixMs <= this.#nowMs()) {
      const when = new Date(identity.expiresUnixMs).toISOString();
      throw refused('https.certificate', certificatePath, `expired at ${when}`);
    }
    try {
      createSecureContext({ key: identity.key, cert: identity.certificate });
    } catch (error) {
      throw refused('https.certificate', certificatePath, `is refused: ${messageOf(error)}`, error);
    }
    if ((key.mode & 0o004) !== 0) {
      log.warn(
        { path: keyPath, mode: (key.mode & 0o777).toString(8) },
        'everybody on this machine can read the file of https.key',
      );
    }
    this.#identity = identity;
    this.#warn();
    return identity;
  }

  async check(): Promise<undefined> {
    this.#warn();
  }

  /** A device without a battery for its clock starts in the past: a certificate of the future is no fault. */
  #warn(): void {
    const nowMs = this.#nowMs();
    if (this.#identity === undefined || Math.abs(nowMs - this.#warnedMs) < dayMs) return;
    const { validFrom } = new X509Certificate(this.#identity.certificate);
    const reason = timeReason(
      { notBeforeMs: Date.parse(validFrom), notAfterMs: this.#identity.expiresUnixMs },
      nowMs,
    );
    if (reason === undefined) return;
    this.#warnedMs = nowMs;
    this.#options.log.warn(
      { path: this.#options.certificate, reason },
      'replace the certificate of https.certificate, and restart Earshot',
    );
  }
}

async function readPem(key: string, path: string): Promise<{ text: string; mode: number }> {
  try {
    const handle = await open(path, 'r');
    try {
      const { size, mode } = await handle.stat();
      if (size > maxFileBytes) throw new Error(`it has ${size} bytes, more than ${maxFileBytes}`);
      return { text: await handle.readFile('utf8'), mode };
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw refused(key, path, `cannot be read: ${messageOf(error)}`, error);
  }
}

function parseCertificate(path: string, text: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (error) {
    throw refused('https.certificate', path, 'holds no certificate in PEM', error);
  }
}

function parseKey(path: string, text: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch (error) {
    throw refused('https.key', path, 'holds no private key in PEM without a passphrase', error);
  }
}

function refused(key: string, path: string, what: string, cause?: unknown): EarshotError {
  return new EarshotError('CONFIG_INVALID', `${key}: ${path} ${what}.`, {
    cause,
    details: { key, value: path },
  });
}
