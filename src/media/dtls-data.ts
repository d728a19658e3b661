import type { DtlsRecord } from './dtls-records.ts';
import { contentTypes } from './dtls-records.ts';
import { ReplayWindow } from './replay-window.ts';

/**
 * Application data under the keys of a finished DTLS 1.2 handshake (RFC 6347 §4.1), beside the stack
 * that made it.
 *
 * INVARIANT: no sequence number of an epoch is used twice. AES-GCM's nonce is made of it, and two
 * records with one nonce give the key of its authentication away. The stack itself does not hold
 * that: it sends its Finished under a number well above zero and counts application data from one.
 */

/** What encrypts and decrypts one record; the AEAD of the stack. */
export interface RecordCipher {
  encrypt(fragment: Buffer, header: RecordHeader): Buffer;
  /** Throws when the record is not authentic. */
  decrypt(fragment: Buffer, header: RecordHeader): Buffer;
}

export interface RecordHeader {
  readonly type: number;
  readonly version: number;
  readonly epoch: number;
  readonly sequenceNumber: number;
}

const dtls12 = 0xfefd;
const epoch = 1;
/** Far above every number a handshake can use, repetitions included. */
export const firstDataSequence = 65_536;

export class DtlsData {
  readonly #cipher: RecordCipher;
  readonly #received = new ReplayWindow();
  #sequence = firstDataSequence;

  constructor(cipher: RecordCipher) {
    this.#cipher = cipher;
  }

  /** The parts of a record with `data` in it, to be sent one after another as one datagram. */
  seal(data: Buffer): [Buffer, Buffer] {
    const sequenceNumber = this.#sequence;
    this.#sequence += 1;
    const fragment = this.#cipher.encrypt(data, {
      type: contentTypes.data,
      version: dtls12,
      epoch,
      sequenceNumber,
    });
    const header = Buffer.allocUnsafe(13);
    header.writeUInt8(contentTypes.data, 0);
    header.writeUInt16BE(dtls12, 1);
    header.writeUInt16BE(epoch, 3);
    header.writeUIntBE(sequenceNumber, 5, 6);
    header.writeUInt16BE(fragment.length, 11);
    return [header, fragment];
  }

  /** What a record carries; undefined when it is not authentic or came before. */
  open(record: DtlsRecord): Buffer | undefined {
    if (record.epoch !== epoch) return undefined;
    const isData = record.contentType === contentTypes.data;
    if (isData && this.#received.seen(record.sequence)) return undefined;
    try {
      const data = this.#cipher.decrypt(record.fragment, {
        type: record.contentType,
        version: record.bytes.readUInt16BE(1),
        epoch,
        sequenceNumber: record.sequence,
      });
      if (isData) this.#received.mark(record.sequence);
      return data;
    } catch {
      return undefined;
    }
  }
}
