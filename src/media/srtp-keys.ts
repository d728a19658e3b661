import { createCipheriv } from 'node:crypto';

/** Keys of one direction of an SRTP session with AEAD_AES_128_GCM (RFC 7714 §12, RFC 5764 §4.2). */
export interface SrtpMasterKey {
  /** 16 bytes. */
  readonly key: Buffer;
  /** 12 bytes. */
  readonly salt: Buffer;
}

export interface SrtpSessionKey {
  readonly key: Buffer;
  readonly salt: Buffer;
}

/** RFC 3711 §4.3.1 labels. */
const labels = { rtp: { key: 0, salt: 2 }, rtcp: { key: 3, salt: 5 } } as const;

/** Derives the session key and salt for RTP or RTCP, with a key derivation rate of zero. */
export function deriveSessionKey(master: SrtpMasterKey, stream: 'rtp' | 'rtcp'): SrtpSessionKey {
  return {
    key: derive(master, labels[stream].key, 16),
    salt: derive(master, labels[stream].salt, 12),
  };
}

/** AES-CM as a pseudo-random function (RFC 3711 §4.3.3); the 96-bit salt is padded (RFC 7714 §11). */
function derive(master: SrtpMasterKey, label: number, bytes: number): Buffer {
  const counter = Buffer.alloc(16);
  master.salt.copy(counter, 0, 0, 12);
  counter.writeUInt8(counter.readUInt8(7) ^ label, 7);
  return createCipheriv('aes-128-ctr', master.key, counter).update(Buffer.alloc(bytes));
}
