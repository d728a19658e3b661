/** How long before its end a certificate is made anew. */
export const renewalMarginMs = 30 * 24 * 60 * 60 * 1000;

/** What the decision needs to know of a certificate. Times in ms since 1970; names lower case. */
export interface CertificateFacts {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Its subjectAltName entries: host names and addresses in their canonical form. */
  readonly names: ReadonlySet<string>;
}

/**
 * Why the device's certificate must be made anew, in words for the log, or undefined while it serves.
 * A name it has beyond `needed` is no reason: an address that comes and goes would otherwise make
 * people confirm a new certificate each time.
 */
export function renewalReason(
  certificate: CertificateFacts,
  needed: Iterable<string>,
  nowMs: number,
): string | undefined {
  const { notBeforeMs, notAfterMs, names } = certificate;
  if (nowMs >= notAfterMs) return `it expired at ${new Date(notAfterMs).toISOString()}`;
  if (nowMs < notBeforeMs) return `it is not valid before ${new Date(notBeforeMs).toISOString()}`;
  if (notAfterMs - nowMs <= renewalMarginMs) {
    return `it expires at ${new Date(notAfterMs).toISOString()}`;
  }
  const missing = [...needed].filter((name) => !names.has(name.toLowerCase()));
  return missing.length > 0 ? `it does not name ${missing.join(', ')}` : undefined;
}
