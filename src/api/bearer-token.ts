import { createHash, timingSafeEqual } from 'node:crypto';
import { EarshotError } from '../errors/earshot-error.ts';
import { TokenBucket } from '../rates/token-bucket.ts';

/** Wrong tokens an address may send at once, and how many more a minute. */
const tries = { burst: 10, perMinute: 10 } as const;
/** Addresses remembered; the one that tried longest ago makes room. */
const maxAddresses = 1_000;

/**
 * Checks a bearer token (RFC 6750 §2.1) in constant time, and lets no address try many. IPv6 addresses of
 * one /64 count as one.
 */
export class BearerToken {
  readonly #digest: Buffer;
  readonly #nowMs: () => number;
  readonly #tries = new Map<string, TokenBucket>();

  constructor(token: string, nowMs: () => number = () => performance.now()) {
    this.#digest = digestOf(token);
    this.#nowMs = nowMs;
  }

  /** Throws API_TOKEN_REFUSED or API_TOO_MANY_TRIES. `header` is `Authorization`. */
  check(header: string | undefined, address: string): void {
    const key = networkOf(address);
    const bucket = this.#tries.get(key);
    if (bucket !== undefined && !bucket.holds(this.#nowMs())) {
      throw new EarshotError(
        'API_TOO_MANY_TRIES',
        'Too many wrong tokens came from this address; wait a minute.',
      );
    }
    const [, token] = /^Bearer +([\w.~+/-]+=*) *$/i.exec(header ?? '') ?? [];
    if (token !== undefined && timingSafeEqual(digestOf(token), this.#digest)) return;
    this.#countTry(key);
    throw new EarshotError(
      'API_TOKEN_REFUSED',
      token === undefined
        ? 'The request needs the header "Authorization: Bearer TOKEN"; the token is whep.token of the configuration.'
        : 'The bearer token is not the one of the configuration (whep.token).',
    );
  }

  #countTry(key: string): void {
    const nowMs = this.#nowMs();
    const bucket =
      this.#tries.get(key) ??
      new TokenBucket({ burst: tries.burst, perSecond: tries.perMinute / 60, nowMs });
    bucket.take(nowMs);
    this.#tries.delete(key);
    this.#tries.set(key, bucket);
    const [oldest] = this.#tries.keys();
    if (this.#tries.size > maxAddresses && oldest !== undefined) this.#tries.delete(oldest);
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** An IPv4 address as it is, mapped into IPv6 or not; of an IPv6 one its /64, which is one customer's. */
function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined || !address.includes(':')) return mapped ?? address;
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const groups = head === '' ? [] : head.split(':');
  const rest = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - rest.length);
  return [...groups, ...Array.from({ length: zeros }, () => '0'), ...rest].slice(0, 4).join(':');
}
