import { distance } from './sctp-packet.ts';

/** One DATA chunk (RFC 9260 §3.3.1). */
export interface InboundChunk {
  /** Transmission sequence number, 32 bits. */
  readonly tsn: number;
  readonly streamId: number;
  /** Stream sequence number, 16 bits; of no meaning on an unordered one. */
  readonly streamSeqNum: number;
  readonly protocol: number;
  readonly flags: number;
  readonly userData: Buffer;
}

export type InboundMessage = [streamId: number, protocol: number, data: Buffer];

const flag = { last: 1, first: 2, unordered: 4 } as const;

/**
 * Puts the chunks of one stream together (RFC 9260 §6.5, §6.6 and §6.9): an unordered message is given
 * out when its last fragment is there, an ordered one when all before it were given out as well.
 * Each chunk comes once: whoever adds it has sorted out repetitions by their numbers.
 */
export class InboundStream {
  /** Kept chunks of ordered messages, by their numbers. */
  readonly #ordered: InboundChunk[] = [];
  /** Kept fragments of unordered messages, by their numbers. */
  readonly #unordered: InboundChunk[] = [];
  readonly #ready: InboundMessage[] = [];
  #nextSequence = 0;

  /** Bytes that wait for others. */
  get keptBytes(): number {
    return sum(this.#ordered, bytesOf) + sum(this.#unordered, bytesOf);
  }

  /** Chunks that wait for others and are no whole message. */
  get keptFragments(): number {
    return sum(this.#ordered, ({ flags }) => Number(!isWhole(flags))) + this.#unordered.length;
  }

  addChunk(chunk: InboundChunk): void {
    const isOrdered = (chunk.flags & flag.unordered) === 0;
    if (!isOrdered && isWhole(chunk.flags)) {
      this.#ready.push([chunk.streamId, chunk.protocol, chunk.userData]);
      return;
    }
    const chunks = isOrdered ? this.#ordered : this.#unordered;
    const at = insert(chunks, chunk);
    if (!isOrdered) this.#completeAround(at);
  }

  /** Takes every message that can be given out now. */
  *popMessages(): Generator<InboundMessage> {
    yield* this.#ready.splice(0);
    for (let count = this.#headCount(); count > 0; count = this.#headCount()) {
      const message = join(this.#ordered.splice(0, count));
      this.#nextSequence = (this.#nextSequence + 1) & 0xffff;
      yield message;
    }
  }

  /** The viewer gave up ordered messages up to `sequence` (RFC 3758 §3.6); returns the bytes that are no longer kept. */
  skip(sequence: number): number {
    if (sequenceDistance(this.#nextSequence, sequence) < 0) return 0;
    this.#nextSequence = (sequence + 1) & 0xffff;
    return remove(this.#ordered, (chunk) => sequenceDistance(sequence, chunk.streamSeqNum) <= 0);
  }

  /** The viewer gave up everything up to `tsn`: fragments of before will never be whole. Returns their bytes. */
  forget(tsn: number): number {
    return remove(this.#unordered, (chunk) => distance(tsn, chunk.tsn) <= 0);
  }

  /** Chunks of the next ordered message, when it is whole; otherwise 0. */
  #headCount(): number {
    const [head] = this.#ordered;
    if (head === undefined || (head.flags & flag.first) === 0) return 0;
    if (head.streamSeqNum !== this.#nextSequence) return 0;
    for (const [index, chunk] of this.#ordered.entries()) {
      if (distance(head.tsn, chunk.tsn) !== index) return 0;
      if ((chunk.flags & flag.last) !== 0) return index + 1;
    }
    return 0;
  }

  /** Takes the unordered message that the fragment at `at` belongs to, when it is whole. */
  #completeAround(at: number): void {
    const chunks = this.#unordered;
    const own = chunks[at]?.tsn ?? 0;
    const isPart = (index: number): boolean => {
      const chunk = chunks[index];
      return chunk !== undefined && distance(own, chunk.tsn) === index - at;
    };
    let from = at;
    while (isPart(from) && ((chunks[from]?.flags ?? 0) & flag.first) === 0) from -= 1;
    let to = at;
    while (isPart(to) && ((chunks[to]?.flags ?? 0) & flag.last) === 0) to += 1;
    if (isPart(from) && isPart(to)) this.#ready.push(join(chunks.splice(from, to - from + 1)));
  }
}

const bytesOf = ({ userData }: InboundChunk): number => userData.length;

function sum(chunks: readonly InboundChunk[], of: (chunk: InboundChunk) => number): number {
  let total = 0;
  for (const chunk of chunks) total += of(chunk);
  return total;
}

function isWhole(flags: number): boolean {
  return (flags & (flag.first | flag.last)) === (flag.first | flag.last);
}

/** Inserts by number, nearly always at the end; returns where. */
function insert(chunks: InboundChunk[], chunk: InboundChunk): number {
  let at = chunks.length;
  while (at > 0 && distance(chunks[at - 1]?.tsn ?? 0, chunk.tsn) < 0) at -= 1;
  chunks.splice(at, 0, chunk);
  return at;
}

/** Drops what `isGone` says and returns its bytes. */
function remove(chunks: InboundChunk[], isGone: (chunk: InboundChunk) => boolean): number {
  let bytes = 0;
  const rest = chunks.filter((chunk) => {
    if (!isGone(chunk)) return true;
    bytes += chunk.userData.length;
    return false;
  });
  chunks.splice(0, chunks.length, ...rest);
  return bytes;
}

function join(chunks: readonly InboundChunk[]): InboundMessage {
  const [head] = chunks;
  const parts = chunks.map(({ userData }) => userData);
  const data = parts.length === 1 && head !== undefined ? head.userData : Buffer.concat(parts);
  return [head?.streamId ?? 0, head?.protocol ?? 0, data];
}

/** How far `to` is ahead of `from`, 16 bits (RFC 1982). */
function sequenceDistance(from: number, to: number): number {
  return ((to - from) << 16) >> 16;
}
