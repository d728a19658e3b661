import { X509Certificate } from 'node:crypto';

/** What a TLS server shows, and what people are told of it. */
export interface TlsIdentity {
  /** The private key, and the certificate (with those between it and its root), as PEM. */
  readonly key: string;
  readonly certificate: string;
  /** SHA-256 over the certificate, as browsers show it: `AB:CD:…`. */
  readonly fingerprint256: string;
  /** Unix time in ms. */
  readonly expiresUnixMs: number;
  /** The owner's own, in place of one the device made. */
  readonly own: boolean;
}

/** Where a server's key and certificate come from. */
export interface IdentitySource {
  /** Throws CONFIG_INVALID when the owner's own cannot be used. */
  load(): Promise<TlsIdentity>;
  /** Looks after it; a new one when it had to be replaced. Never throws. */
  check(): Promise<TlsIdentity | undefined>;
}

/** `certificate`: PEM that begins with the server's own. */
export function identityOf(pair: Pick<TlsIdentity, 'key' | 'certificate' | 'own'>): TlsIdentity {
  const { fingerprint256, validTo } = new X509Certificate(pair.certificate);
  return { ...pair, fingerprint256, expiresUnixMs: Date.parse(validTo) };
}
