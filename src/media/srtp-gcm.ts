import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { rtpHeaderBytes } from './ingress-guard.ts';
import { ReplayWindow } from './replay-window.ts';
import { deriveSessionKey, type SrtpMasterKey } from './srtp-keys.ts';

/**
 * SRTP and SRTCP with AEAD_AES_128_GCM (RFC 7714). A nonce is the SSRC and packet index under the
 * session salt, so an index must never be used twice with different bytes: senders only count up,
 * and a retransmission is the same packet again.
 */

const tagBytes = 16;
const cipherName = 'aes-128-gcm';
const gcmOptions = { authTagLength: tagBytes } as const;
/** Set in the index word when an SRTCP packet is encrypted (RFC 3711 §3.4). */
const srtcpEncrypted = 0x80000000;
/** More than one viewer sends, with room for a change of source. */
const maxRemoteSources = 8;

interface DirectionKey {
  readonly key: KeyObject;
  readonly salt: Buffer;
}

function directionKey(master: SrtpMasterKey, stream: 'rtp' | 'rtcp'): DirectionKey {
  const { key, salt } = deriveSessionKey(master, stream);
  return { key: createSecretKey(key), salt };
}

/** How often the sequence number of a stream has wrapped, and the newest one. */
interface Rollover {
  readonly ssrc: number;
  counter: number;
  sequence: number;
}

/** Encrypts what we send. */
export class SrtpSender {
  readonly #rtp: DirectionKey;
  readonly #rtcp: DirectionKey;
  /** Reused: the cipher copies it before the call returns. */
  readonly #iv = Buffer.alloc(12);
  readonly #rollovers = new Map<number, Rollover>();
  /** The stream sent last, which is nearly always the next one. */
  #lastRollover: Rollover | undefined;
  #srtcpIndex = 0;

  constructor(master: SrtpMasterKey) {
    this.#rtp = directionKey(master, 'rtp');
    this.#rtcp = directionKey(master, 'rtcp');
  }

  /**
   * The parts of an SRTP packet, to be sent one after another: header, ciphertext, tag. `header` is
   * not copied. New packets of an SSRC go in order; one sent before may be given again.
   */
  protectRtp(header: Buffer, payload: Buffer): [Buffer, Buffer, Buffer] {
    const ssrc = header.readUInt32BE(8);
    const sequence = header.readUInt16BE(2);
    const counter = this.#counterOf(ssrc, sequence);
    const iv = this.#iv;
    iv.writeUInt16BE(0, 0);
    iv.writeUInt32BE(ssrc, 2);
    iv.writeUInt32BE(counter, 6);
    iv.writeUInt16BE(sequence, 10);
    xorInto(iv, this.#rtp.salt);
    const cipher = createCipheriv(cipherName, this.#rtp.key, iv, gcmOptions);
    cipher.setAAD(header);
    const ciphertext = cipher.update(payload);
    cipher.final();
    return [header, ciphertext, cipher.getAuthTag()];
  }

  /** The parts of an SRTCP packet around a compound RTCP packet (RFC 7714 §9). */
  protectRtcp(compound: Buffer): Buffer[] {
    const index = this.#srtcpIndex;
    // RFC 3711 §9.2: 2³¹ packets under one key; at two a second that is 34 years.
    this.#srtcpIndex += 1;
    const trailer = Buffer.alloc(4);
    trailer.writeUInt32BE((srtcpEncrypted | index) >>> 0);
    const header = compound.subarray(0, 8);
    srtcpIv(this.#iv, header.readUInt32BE(4), index, this.#rtcp.salt);
    const cipher = createCipheriv(cipherName, this.#rtcp.key, this.#iv, gcmOptions);
    cipher.setAAD(header);
    cipher.setAAD(trailer);
    const ciphertext = cipher.update(compound.subarray(8));
    cipher.final();
    return [header, ciphertext, cipher.getAuthTag(), trailer];
  }

  /** The rollover counter of a sequence number (RFC 3711 §3.3.1); older ones within half the space keep theirs. */
  #counterOf(ssrc: number, sequence: number): number {
    const last = this.#lastRollover;
    const state = last?.ssrc === ssrc ? last : this.#rollovers.get(ssrc);
    if (state === undefined) {
      const first = { ssrc, counter: 0, sequence };
      this.#rollovers.set(ssrc, first);
      this.#lastRollover = first;
      return 0;
    }
    this.#lastRollover = state;
    const ahead = (sequence - state.sequence) & 0xffff;
    if (ahead >= 0x8000) return sequence > state.sequence ? state.counter - 1 : state.counter;
    if (sequence < state.sequence) state.counter += 1;
    state.sequence = sequence;
    return state.counter;
  }
}

/** Authenticates and decrypts what the viewer sends; anything else is undefined. */
export class SrtpReceiver {
  readonly #rtp: DirectionKey;
  readonly #rtcp: DirectionKey;
  readonly #iv = Buffer.alloc(12);
  readonly #rtpWindows = new Map<number, ReplayWindow>();
  /** By source too: each counts from zero (RFC 3711 §3.2.3, §3.4). */
  readonly #rtcpWindows = new Map<number, ReplayWindow>();

  constructor(master: SrtpMasterKey) {
    this.#rtp = directionKey(master, 'rtp');
    this.#rtcp = directionKey(master, 'rtcp');
  }

  /** The header and clear payload of an SRTP packet, or undefined: forged, replayed or malformed. */
  openRtp(datagram: Buffer): { header: Buffer; payload: Buffer } | undefined {
    const headerBytes = rtpHeaderBytes(datagram);
    const end = datagram.length - tagBytes;
    if (headerBytes === 0 || headerBytes > end) return undefined;
    const ssrc = datagram.readUInt32BE(8);
    const sequence = datagram.readUInt16BE(2);
    const window = this.#rtpWindows.get(ssrc) ?? new ReplayWindow();
    const index = window.indexOf(sequence);
    if (index < 0 || window.seen(index)) return undefined;
    const iv = this.#iv;
    iv.writeUInt16BE(0, 0);
    iv.writeUInt32BE(ssrc, 2);
    iv.writeUIntBE(index, 6, 6);
    xorInto(iv, this.#rtp.salt);
    const header = datagram.subarray(0, headerBytes);
    const payload = open(this.#rtp.key, iv, [header], datagram.subarray(headerBytes));
    if (payload === undefined) return undefined;
    window.mark(index);
    remember(this.#rtpWindows, ssrc, window);
    return { header, payload };
  }

  /** The compound RTCP packet, or undefined: forged, replayed or malformed. */
  openRtcp(datagram: Buffer): Buffer | undefined {
    const end = datagram.length - 4;
    if (end < 8 + tagBytes) return undefined;
    const trailer = datagram.subarray(end);
    const word = trailer.readUInt32BE(0);
    // An unencrypted SRTCP packet is not something a browser sends (RFC 8827 §6.5).
    if (word < srtcpEncrypted) return undefined;
    const index = word - srtcpEncrypted;
    const header = datagram.subarray(0, 8);
    const ssrc = header.readUInt32BE(4);
    const window = this.#rtcpWindows.get(ssrc) ?? new ReplayWindow();
    if (window.seen(index)) return undefined;
    srtcpIv(this.#iv, ssrc, index, this.#rtcp.salt);
    const body = open(this.#rtcp.key, this.#iv, [header, trailer], datagram.subarray(8, end));
    if (body === undefined) return undefined;
    window.mark(index);
    remember(this.#rtcpWindows, ssrc, window);
    return Buffer.concat([header, body]);
  }
}

/** Keeps the window of an authenticated source, in place of the oldest when there are too many. */
function remember(windows: Map<number, ReplayWindow>, ssrc: number, window: ReplayWindow): void {
  if (windows.has(ssrc)) return;
  if (windows.size >= maxRemoteSources) {
    const [oldest] = windows.keys();
    if (oldest !== undefined) windows.delete(oldest);
  }
  windows.set(ssrc, window);
}

function srtcpIv(iv: Buffer, ssrc: number, index: number, salt: Buffer): void {
  iv.writeUInt16BE(0, 0);
  iv.writeUInt32BE(ssrc, 2);
  iv.writeUInt16BE(0, 6);
  iv.writeUInt32BE(index, 8);
  xorInto(iv, salt);
}

function xorInto(iv: Buffer, salt: Buffer): void {
  iv.writeUInt32BE((iv.readUInt32BE(0) ^ salt.readUInt32BE(0)) >>> 0, 0);
  iv.writeUInt32BE((iv.readUInt32BE(4) ^ salt.readUInt32BE(4)) >>> 0, 4);
  iv.writeUInt32BE((iv.readUInt32BE(8) ^ salt.readUInt32BE(8)) >>> 0, 8);
}

function open(
  key: KeyObject,
  iv: Buffer,
  authenticated: readonly Buffer[],
  sealed: Buffer,
): Buffer | undefined {
  const end = sealed.length - tagBytes;
  const decipher = createDecipheriv(cipherName, key, iv, gcmOptions);
  for (const part of authenticated) decipher.setAAD(part);
  decipher.setAuthTag(sealed.subarray(end));
  const clear = decipher.update(sealed.subarray(0, end));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return clear;
}
