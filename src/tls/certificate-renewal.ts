const dayMs = 24 * 60 * 60 * 1_000;

/** How long before its end a certificate is made anew. */
export const renewalMarginMs = 30 * dayMs;

/** What the decision needs to know of a certificate. Times in ms since 1970; names canonical. */
export interface CertificateFacts {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Its subjectAltName entries: host names and addresses in their canonical form. */
  readonly names: ReadonlySet<string>;
}

/** Why its time asks for a new certificate, in words for the log, or undefined while it serves. */
export function timeReason(
  { notBeforeMs, notAfterMs }: Pick<CertificateFacts, 'notBeforeMs' | 'notAfterMs'>,
  nowMs: number,
): string | undefined {
  if (nowMs >= notAfterMs) return `it expired at ${new Date(notAfterMs).toISOString()}`;
  if (nowMs < notBeforeMs) return `it is not valid before ${new Date(notBeforeMs).toISOString()}`;
  if (notAfterMs - nowMs > renewalMarginMs) return undefined;
  return `it expires at ${new Date(notAfterMs).toISOString()}`;
}

/**
 * Why the names ask for a new certificate, or undefined. A name it has beyond `needed` is no reason:
 * an address that comes and goes would otherwise make people confirm a new certificate each time.
 */
export function nameReason(
  { names }: Pick<CertificateFacts, 'names'>,
  needed: Iterable<string>,
): string | undefined {
  const missing = [...needed].filter((name) => !names.has(name));
  return missing.length > 0 ? `it does not name ${missing.join(', ')}` : undefined;
}
