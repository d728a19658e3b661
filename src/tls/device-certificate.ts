import { createPrivateKey, generateKeyPair, type KeyObject, X509Certificate } from 'node:crypto';
import { chmod, mkdir, open, rename } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { replaceDurably, syncDirectory } from '../config/durable-file.ts';
import { messageOf } from '../errors/earshot-error.ts';
import type { Log } from '../log/log.ts';
import { namesOf } from './certificate-name.ts';
import { nameReason, timeReason } from './certificate-renewal.ts';
import type { DeviceNames } from './device-names.ts';
import { type IdentitySource, identityOf, type TlsIdentity } from './identity.ts';
import { makeCertificate } from './make-certificate.ts';

/** Key and certificate are one file, so that no crash leaves one of them without the other. */
export const deviceCertificateFile = 'device.pem';

const hourMs = 60 * 60 * 1_000;

/** Apple's platforms refuse a certificate of more than 398 days, and others follow. */
const validityMs = 397 * 24 * hourMs;

/** The viewer's clock may be behind the device's. */
const backdatedMs = 24 * hourMs;

/** Certificates made for the sake of names within a day; a flapping network shall not wear the flash. */
const maxNameRenewals = 6;

const maxFileBytes = 64 * 1024;

export interface DeviceCertificateOptions {
  /** Where the file is kept; made when missing. */
  readonly directory: string;
  /** What the certificate should name, asked anew at each look. */
  readonly names: () => DeviceNames;
  readonly log: Log;
  /** Unix time in ms. */
  readonly nowMs?: () => number;
}

/** What could be read of the file. */
interface Stored {
  readonly key?: KeyObject;
  readonly identity?: TlsIdentity;
  /** What is wrong with the file; it is set aside then. */
  readonly fault?: string;
}

/**
 * The certificate the device makes for itself: at first start, before it expires, and when it lacks a
 * name the device has. The key stays unless it cannot be used.
 */
export class DeviceCertificate implements IdentitySource {
  readonly #options: DeviceCertificateOptions;
  readonly #path: string;
  readonly #nowMs: () => number;
  #key: KeyObject | undefined;
  #identity: TlsIdentity | undefined;
  #saved = true;
  #nameRenewalsMs: number[] = [];

  constructor(options: DeviceCertificateOptions) {
    this.#options = options;
    this.#path = join(options.directory, deviceCertificateFile);
    this.#nowMs = options.nowMs ?? Date.now;
  }

  /** Reads it, or makes it. A file that cannot be written is logged: the certificate serves until the next start then. */
  async load(): Promise<TlsIdentity> {
    const { key, identity, fault } = await this.#read();
    if (fault !== undefined) await this.#setAside(fault);
    this.#key = key;
    this.#identity = identity;
    const reason = identity === undefined ? (fault ?? 'there is none yet') : this.#reason(identity);
    return identity === undefined || reason !== undefined
      ? await this.#renew(reason ?? '')
      : identity;
  }

  async check(): Promise<TlsIdentity | undefined> {
    const identity = this.#identity;
    if (identity === undefined) return undefined;
    if (!this.#saved) await this.#save(identity);
    const certificate = new X509Certificate(identity.certificate);
    const byTime = timeReason(times(certificate), this.#nowMs());
    const byName = nameReason({ names: namesOf(certificate) }, this.#options.names().needed);
    if (byTime !== undefined) return await this.#renew(byTime);
    return byName !== undefined && this.#mayRenewNames() ? await this.#renew(byName) : undefined;
  }

  #reason({ certificate }: TlsIdentity): string | undefined {
    const parsed = new X509Certificate(certificate);
    return (
      timeReason(times(parsed), this.#nowMs()) ??
      nameReason({ names: namesOf(parsed) }, this.#options.names().needed)
    );
  }

  #mayRenewNames(): boolean {
    const nowMs = this.#nowMs();
    const recent = this.#nameRenewalsMs.filter((at) => at <= nowMs && nowMs - at < 24 * hourMs);
    if (recent.length < maxNameRenewals) recent.push(nowMs);
    else return false;
    this.#nameRenewalsMs = recent;
    return true;
  }

  async #renew(reason: string): Promise<TlsIdentity> {
    const { log, names } = this.#options;
    const keyKept = this.#key !== undefined;
    this.#key ??= await newKey();
    const notBeforeMs = this.#nowMs() - backdatedMs;
    const certificate = makeCertificate({
      key: this.#key,
      commonName: hostname(),
      names: names().all,
      notBeforeMs,
      notAfterMs: notBeforeMs + validityMs,
    });
    const key = this.#key.export({ type: 'pkcs8', format: 'pem' }).toString();
    const identity = identityOf({ key, certificate, own: false });
    this.#identity = identity;
    log.info({ path: this.#path, reason, keyKept }, 'device certificate made');
    this.#saved = true;
    await this.#save(identity);
    return identity;
  }

  async #save({ key, certificate }: TlsIdentity): Promise<void> {
    const { directory, log } = this.#options;
    try {
      const made = await mkdir(directory, { recursive: true, mode: 0o700 });
      if (made !== undefined) await syncDirectory(dirname(made));
      await replaceDurably(this.#path, `${key}${certificate}`, 0o600);
      this.#saved = true;
    } catch (error) {
      // Tried again at every check, and said once.
      if (this.#saved) {
        log.error(
          { path: this.#path, error: messageOf(error) },
          'the device certificate cannot be kept: browsers will ask about another one after a restart',
        );
      }
      this.#saved = false;
    }
  }

  async #read(): Promise<Stored> {
    try {
      const text = await this.#readText();
      return text === undefined ? {} : parse(text);
    } catch (error) {
      return { fault: `it cannot be read: ${messageOf(error)}` };
    }
  }

  async #readText(): Promise<string | undefined> {
    try {
      const handle = await open(this.#path, 'r');
      try {
        const { size, mode } = await handle.stat();
        if (size > maxFileBytes) throw new Error(`${size} bytes are too many`);
        if ((mode & 0o077) !== 0) await this.#narrow(mode);
        return await handle.readFile('utf8');
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async #narrow(mode: number): Promise<void> {
    await chmod(this.#path, 0o600);
    this.#options.log.warn(
      { path: this.#path, mode: (mode & 0o777).toString(8) },
      'others could read the key of the device certificate; its file is 0600 again',
    );
  }

  async #setAside(fault: string): Promise<void> {
    const { log } = this.#options;
    const keptAs = `${this.#path}.corrupt`;
    try {
      await rename(this.#path, keptAs);
      log.warn({ path: this.#path, keptAs, fault }, 'device certificate set aside');
    } catch (error) {
      log.error(
        { path: this.#path, fault, error: messageOf(error) },
        'the file of the device certificate cannot be set aside',
      );
    }
  }
}

async function newKey(): Promise<KeyObject> {
  const pair = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
  return pair.privateKey;
}

/** Takes the file apart; a key that serves is kept even where the certificate does not. */
function parse(text: string): Stored {
  const key = parseKey(text);
  if (key === undefined) return { fault: 'it holds no EC P-256 key' };
  const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/.exec(
    text,
  )?.[0];
  if (certificate === undefined) return { key, fault: 'it holds no certificate' };
  try {
    if (!new X509Certificate(certificate).checkPrivateKey(key)) {
      return { key, fault: 'its certificate is for another key' };
    }
    const keyPem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
    return { key, identity: identityOf({ key: keyPem, certificate, own: false }) };
  } catch (error) {
    return { key, fault: `its certificate is none: ${messageOf(error)}` };
  }
}

function parseKey(text: string): KeyObject | undefined {
  try {
    const key = createPrivateKey(text);
    return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? key : undefined;
  } catch {
    return undefined;
  }
}

function times({ validFrom, validTo }: X509Certificate) {
  return { notBeforeMs: Date.parse(validFrom), notAfterMs: Date.parse(validTo) };
}
