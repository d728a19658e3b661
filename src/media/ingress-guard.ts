import { TokenBucket } from '../rates/token-bucket.ts';
import {
  admitsRecord,
  contentTypes,
  type DtlsPhase,
  type DtlsRecord,
  readDtlsRecords,
} from './dtls-records.ts';
import { integrityHolds, readStunMessage, type StunMessage } from './stun-message.ts';

/**
 * What stands between the network and the WebRTC stack: every datagram is bounded, checked and, for
 * STUN, authenticated here before anything else parses a byte of it.
 *
 * INVARIANTS
 * - Only STUN whose MESSAGE-INTEGRITY holds makes a source known; nothing else from an unknown
 *   source passes.
 * - RTP and RTCP are never handed to the stack; they are authenticated by our own SRTP.
 * - The cost of a datagram is linear in its length; a source that is not known is also rate-limited.
 * - State is bounded: sources per session, and rate-limited sources, are capped.
 */

/** One session's credentials and progress, asked at each datagram (so they may change under way). */
export interface IngressSession {
  /** The password that belongs to this ICE fragment of ours; undefined when it is not ours. */
  passwordOf(localFragment: string): string | undefined;
  /**
   * How an answer to that transaction proves itself: the password of its MESSAGE-INTEGRITY, '' when
   * it needs none (a STUN server's), undefined when no such request waits.
   */
  awaits(transactionId: string): string | undefined;
  dtlsPhase(): DtlsPhase;
  /** Called once for each datagram refused from a source of this session. */
  refused(): void;
}

export const refusalReasons = [
  'unknown-kind',
  'unknown-source',
  'rate',
  'malformed-stun',
  'unauthenticated-stun',
  'malformed-dtls',
  'unexpected-dtls',
  'malformed-rtp',
] as const;
export type RefusalReason = (typeof refusalReasons)[number];

export type Verdict<S extends IngressSession> =
  | { readonly kind: 'stun'; readonly session: S; readonly message: StunMessage }
  /** `records` may go to the DTLS stack; `alerts` are protected ones, for whoever holds the keys. */
  | {
      readonly kind: 'dtls';
      readonly session: S;
      readonly records: readonly DtlsRecord[];
      readonly alerts: readonly DtlsRecord[];
    }
  | { readonly kind: 'rtp' | 'rtcp'; readonly session: S }
  | { readonly kind: 'refused'; readonly reason: RefusalReason };

const maxSourcesPerSession = 16;
const maxLimitedSources = 1_024;
/** Datagrams a second that an unknown source may cost us; ICE needs a few dozen. */
const unknownSourceRate = { perSecond: 50, burst: 100 };
/** Requests of one handshake fit many times over. */
const maxDtlsRecordsPerDatagram = 32;

export class IngressGuard<S extends IngressSession> {
  readonly #sessions = new Set<S>();
  readonly #sources = new Map<string, S>();
  readonly #limits = new Map<string, TokenBucket>();
  readonly #overflow: TokenBucket;
  readonly #refusals = new Map<RefusalReason, number>();
  readonly #nowMs: () => number;

  constructor(options: { readonly nowMs: () => number }) {
    this.#nowMs = options.nowMs;
    this.#overflow = new TokenBucket({ ...unknownSourceRate, nowMs: options.nowMs() });
  }

  add(session: S): void {
    this.#sessions.add(session);
  }

  /** Forgets the session and every source of its own. */
  remove(session: S): void {
    this.#sessions.delete(session);
    for (const [source, owner] of this.#sources) {
      if (owner === session) this.#sources.delete(source);
    }
  }

  /** Forgets one source, which is no more: a TCP connection that closed. */
  forget(source: string): void {
    this.#sources.delete(source);
    this.#limits.delete(source);
  }

  /** Datagrams refused so far, by reason. */
  refusals(): ReadonlyMap<RefusalReason, number> {
    return this.#refusals;
  }

  /**
   * Judges one datagram from `source` (address and port as one string). Never throws.
   */
  judge(datagram: Buffer, source: string): Verdict<S> {
    const owner = this.#sources.get(source);
    const verdict = this.#judge(datagram, source, owner);
    if (verdict.kind === 'refused') {
      this.#refusals.set(verdict.reason, (this.#refusals.get(verdict.reason) ?? 0) + 1);
      owner?.refused();
    }
    return verdict;
  }

  #judge(datagram: Buffer, source: string, owner: S | undefined): Verdict<S> {
    if (owner === undefined && !this.#takesUnknown(source)) return refuse('rate');
    // RFC 7983 §7: the first byte tells the protocols apart.
    const first = datagram[0];
    if (first === undefined) return refuse('unknown-kind');
    if (first < 4) return this.#judgeStun(datagram, source);
    if (owner === undefined) return refuse('unknown-source');
    if (first >= 20 && first < 64) return judgeDtls(datagram, owner);
    if (first >= 128 && first < 192) return judgeRtp(datagram, owner);
    return refuse('unknown-kind');
  }

  #judgeStun(datagram: Buffer, source: string): Verdict<S> {
    const message = readStunMessage(datagram);
    if (message === undefined || message.method !== 1) return refuse('malformed-stun');
    for (const session of this.#sessions) {
      const password = expectedPassword(session, message);
      if (password === undefined) continue;
      if (password === '' && message.class !== 'request') return { kind: 'stun', session, message };
      if (!integrityHolds(datagram, message, password)) return refuse('unauthenticated-stun');
      this.#trust(source, session);
      return { kind: 'stun', session, message };
    }
    return refuse('unauthenticated-stun');
  }

  #trust(source: string, session: S): void {
    if (this.#sources.get(source) === session) return;
    let own = 0;
    let oldest: string | undefined;
    for (const [other, owner] of this.#sources) {
      if (owner !== session) continue;
      own += 1;
      oldest ??= other;
    }
    if (own >= maxSourcesPerSession && oldest !== undefined) this.#sources.delete(oldest);
    this.#sources.set(source, session);
    this.#limits.delete(source);
  }

  #takesUnknown(source: string): boolean {
    const nowMs = this.#nowMs();
    let bucket = this.#limits.get(source);
    if (bucket === undefined) {
      if (this.#limits.size >= maxLimitedSources) {
        // Too many strangers: all newcomers share one allowance, and the oldest makes room.
        if (!this.#overflow.take(nowMs)) return false;
        const [oldest] = this.#limits.keys();
        if (oldest !== undefined) this.#limits.delete(oldest);
      }
      bucket = new TokenBucket({ ...unknownSourceRate, nowMs });
      this.#limits.set(source, bucket);
    }
    return bucket.take(nowMs);
  }
}

function refuse(reason: RefusalReason): {
  readonly kind: 'refused';
  readonly reason: RefusalReason;
} {
  return { kind: 'refused', reason };
}

function expectedPassword(session: IngressSession, message: StunMessage): string | undefined {
  switch (message.class) {
    case 'request':
      return session.passwordOf(message.usernameFragment);
    case 'success':
    case 'error':
      return session.awaits(message.transactionId);
    default:
      return undefined;
  }
}

function judgeDtls<S extends IngressSession>(datagram: Buffer, session: S): Verdict<S> {
  const all = readDtlsRecords(datagram);
  if (all === undefined || all.length > maxDtlsRecordsPerDatagram) return refuse('malformed-dtls');
  const phase = session.dtlsPhase();
  const records = all.filter((record) => admitsRecord(record, phase));
  const alerts = all.filter((record) => isProtectedAlert(record, phase));
  if (records.length === 0 && alerts.length === 0) return refuse('unexpected-dtls');
  return { kind: 'dtls', session, records, alerts };
}

/** Two bytes under AES-GCM: explicit nonce 8, alert 2, tag 16. */
function isProtectedAlert(record: DtlsRecord, phase: DtlsPhase): boolean {
  return (
    phase !== 'handshaking' &&
    record.contentType === contentTypes.alert &&
    record.epoch > 0 &&
    record.fragment.length === 26
  );
}

const authenticationTagBytes = 16;
const srtcpIndexBytes = 4;
/** More than any path's MTU that the internet carries; SRTP is never fragmented on purpose. */
const maxMediaBytes = 2_048;

function judgeRtp<S extends IngressSession>(datagram: Buffer, session: S): Verdict<S> {
  const size = datagram.length;
  if (size > maxMediaBytes || session.dtlsPhase() === 'handshaking') return refuse('malformed-rtp');
  // RFC 5761 §4: RTCP packet types 192–223 share the second byte with marker and payload type.
  const second = datagram[1] ?? 0;
  if (second >= 192 && second < 224) {
    const body = size - authenticationTagBytes - srtcpIndexBytes;
    if (body < 8 || (datagram.readUInt16BE(2) + 1) * 4 > body) return refuse('malformed-rtp');
    return { kind: 'rtcp', session };
  }
  return rtpHeaderBytes(datagram) + authenticationTagBytes <= size && rtpHeaderBytes(datagram) > 0
    ? { kind: 'rtp', session }
    : refuse('malformed-rtp');
}

/** Length of the RTP header with CSRCs and extension (RFC 3550 §5.1), or 0 when it runs over the end. */
export function rtpHeaderBytes(packet: Buffer): number {
  if (packet.length < 12) return 0;
  const first = packet.readUInt8(0);
  if (first >> 6 !== 2) return 0;
  const fixed = 12 + (first & 0x0f) * 4;
  if ((first & 0x10) === 0) return fixed <= packet.length ? fixed : 0;
  if (fixed + 4 > packet.length) return 0;
  const whole = fixed + 4 + packet.readUInt16BE(fixed + 2) * 4;
  return whole <= packet.length ? whole : 0;
}
