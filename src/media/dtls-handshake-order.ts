import {
  clientHandshakes,
  contentTypes,
  type DtlsRecord,
  handshakeHeaderBytes,
  maxHandshakeBytes,
  messageHolds,
} from './dtls-records.ts';

/**
 * A client's cleartext handshake messages for the DTLS stack: whole, in the order of their numbers,
 * each once (RFC 6347 §4.2.2, §4.2.3).
 *
 * The stack itself takes them as they come. Told the client's key twice, or before its certificate, it derives
 * another master secret from what it has seen by then; told the first hello again after the second, it makes
 * new keys for an answer that has left already. A client repeats a flight after 50 ms, so one that waited on
 * its way, in a TCP connection above all, arrives many times at once.
 */

/** Messages ahead of the one expected that are kept; the client's longest flight in clear has three. */
const maxAhead = 3;

/** Number of the first message after the hello that the stack accepted: the two hellos are 0 and 1. */
const firstAfterHello = 2;

interface Assembly {
  readonly type: number;
  readonly body: Buffer;
  /** Parts that are there, in order, none touching another: from the first byte to behind the last. */
  parts: readonly (readonly [number, number])[];
}

interface Fragment {
  readonly type: number;
  readonly sequence: number;
  readonly totalBytes: number;
  readonly offset: number;
  readonly bytes: Buffer;
}

export class DtlsHandshakeOrder {
  readonly #helloAccepted: () => boolean;
  readonly #assemblies = new Map<number, Assembly>();
  #next = firstAfterHello;

  /** `helloAccepted`: the stack has taken a hello with its cookie. */
  constructor(helloAccepted: () => boolean) {
    this.#helloAccepted = helloAccepted;
  }

  /** The records to hand on for one that the guard admitted, of epoch 0; several, or none. */
  take(record: DtlsRecord): Buffer[] {
    const passed: Buffer[] = [];
    for (const fragment of fragmentsOf(record.fragment)) {
      if (!this.#wants(fragment)) continue;
      this.#keep(fragment);
      for (const message of this.#ready(fragment)) passed.push(recordOf(record, message));
    }
    return passed;
  }

  /**
   * The first hello until the second is accepted, the second until what follows it, since its answer may be lost;
   * then the message expected, and a few ahead of it.
   */
  #wants({ type, sequence }: Fragment): boolean {
    if (type === clientHandshakes.clientHello) {
      if (sequence === 0) return !this.#helloAccepted();
      return sequence < firstAfterHello && this.#next === firstAfterHello;
    }
    return this.#helloAccepted() && sequence >= this.#next && sequence < this.#next + maxAhead;
  }

  #keep({ type, sequence, totalBytes, offset, bytes }: Fragment): void {
    const begun = this.#assemblies.get(sequence);
    const assembly = begun ?? { type, body: Buffer.alloc(totalBytes), parts: [] };
    if (assembly.type !== type || assembly.body.length !== totalBytes) return;
    bytes.copy(assembly.body, offset);
    assembly.parts = joined([...assembly.parts, [offset, offset + bytes.length]]);
    this.#assemblies.set(sequence, assembly);
  }

  /** What may go on now, as messages in one fragment: a hello, or what is expected with all that waits for it. */
  *#ready({ type, sequence }: Fragment): Generator<Buffer> {
    if (type === clientHandshakes.clientHello) {
      const hello = this.#takeWhole(sequence);
      if (hello !== undefined) yield hello;
      return;
    }
    for (;;) {
      const message = this.#takeWhole(this.#next);
      if (message === undefined) return;
      this.#next += 1;
      yield message;
    }
  }

  /** The message of that number when all its parts are there. One that does not hold is forgotten: it may come again. */
  #takeWhole(sequence: number): Buffer | undefined {
    const assembly = this.#assemblies.get(sequence);
    if (assembly === undefined) return undefined;
    const { type, body, parts } = assembly;
    const [first] = parts;
    if (first === undefined || first[0] > 0 || first[1] < body.length) return undefined;
    this.#assemblies.delete(sequence);
    return messageHolds(type, body) ? whole({ type, sequence, bytes: body }) : undefined;
  }
}

/** Of a record whose lengths hold (admitsRecord). */
function* fragmentsOf(record: Buffer): Generator<Fragment> {
  let at = 0;
  while (at + handshakeHeaderBytes <= record.length) {
    const start = at + handshakeHeaderBytes;
    const end = start + record.readUIntBE(at + 9, 3);
    yield {
      type: record.readUInt8(at),
      totalBytes: Math.min(record.readUIntBE(at + 1, 3), maxHandshakeBytes),
      sequence: record.readUInt16BE(at + 4),
      offset: record.readUIntBE(at + 6, 3),
      bytes: record.subarray(start, end),
    };
    at = end;
  }
}

function whole({ type, sequence, bytes }: Pick<Fragment, 'type' | 'sequence' | 'bytes'>): Buffer {
  const header = Buffer.alloc(handshakeHeaderBytes);
  header.writeUInt8(type, 0);
  header.writeUIntBE(bytes.length, 1, 3);
  header.writeUInt16BE(sequence, 4);
  header.writeUIntBE(bytes.length, 9, 3);
  return Buffer.concat([header, bytes]);
}

/** A record like the one that came, with another content. */
function recordOf({ bytes, fragment }: DtlsRecord, message: Buffer): Buffer {
  const header = Buffer.from(bytes.subarray(0, bytes.length - fragment.length));
  header.writeUInt8(contentTypes.handshake, 0);
  header.writeUInt16BE(message.length, header.length - 2);
  return Buffer.concat([header, message]);
}

/** Parts in order, with those that touch made one. */
function joined(parts: readonly (readonly [number, number])[]): (readonly [number, number])[] {
  const result: (readonly [number, number])[] = [];
  for (const [from, to] of parts.toSorted(([one], [other]) => one - other)) {
    const last = result.at(-1);
    if (last !== undefined && from <= last[1]) {
      result[result.length - 1] = [last[0], Math.max(last[1], to)];
    } else {
      result.push([from, to]);
    }
  }
  return result;
}
