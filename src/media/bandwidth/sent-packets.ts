/** A power of two: 14 s at the 300 packets a second of the highest bitrate, and what one feedback can speak of. */
const capacity = 4_096;

export type Acknowledgement = 'new' | 'repeated' | 'unknown';

/**
 * What was sent lately, by transport-wide sequence number. A ring of fixed size: nothing is allocated a
 * packet.
 *
 * INVARIANTS: a packet is acknowledged at most once; nothing that was not sent is ever acknowledged.
 */
export class SentPackets {
  readonly #atMs = new Float64Array(capacity);
  readonly #bytes = new Float64Array(capacity);
  /** Sequence without wraps, of the packet in the slot; −1: none. */
  readonly #sequences = new Float64Array(capacity).fill(-1);
  readonly #acknowledged = new Uint8Array(capacity);
  #newest = -1;
  /** Of the packet last looked up that was found. */
  atMs = 0;
  bytes = 0;

  add({ transportSequence, bytes, atMs }: SentPacket): void {
    const sequence =
      this.#newest < 0 ? transportSequence & 0xffff : this.#unwrap(transportSequence);
    if (sequence < 0) return;
    const slot = sequence % capacity;
    this.#newest = Math.max(this.#newest, sequence);
    this.#sequences[slot] = sequence;
    this.#atMs[slot] = atMs;
    this.#bytes[slot] = bytes;
    this.#acknowledged[slot] = 0;
  }

  /** The viewer has it. `atMs` and `bytes` are the packet's from then on, unless it is unknown. */
  acknowledge(transportSequence: number): Acknowledgement {
    const slot = this.#slotOf(transportSequence);
    if (slot < 0) return 'unknown';
    this.#look(slot);
    if (this.#acknowledged[slot] === 1) return 'repeated';
    this.#acknowledged[slot] = 1;
    return 'new';
  }

  /** Looks a packet up that did not arrive; false when it is unknown or arrived before. */
  find(transportSequence: number): boolean {
    const slot = this.#slotOf(transportSequence);
    if (slot < 0 || this.#acknowledged[slot] === 1) return false;
    this.#look(slot);
    return true;
  }

  #slotOf(transportSequence: number): number {
    if (this.#newest < 0) return -1;
    const sequence = this.#unwrap(transportSequence);
    if (sequence < 0 || sequence > this.#newest) return -1;
    const slot = sequence % capacity;
    return this.#sequences[slot] === sequence ? slot : -1;
  }

  #unwrap(transportSequence: number): number {
    return this.#newest + (((transportSequence - this.#newest) << 16) >> 16);
  }

  #look(slot: number): void {
    this.atMs = this.#atMs[slot] ?? 0;
    this.bytes = this.#bytes[slot] ?? 0;
  }
}

/** A packet as it went to the socket. */
export interface SentPacket {
  /** Of the transport-wide sequence number extension, 16 bit; one up a packet, over all streams of the peer. */
  readonly transportSequence: number;
  /** On the wire, with UDP and IP. */
  readonly bytes: number;
  /** Any monotonic clock in ms, the same for all calls. */
  readonly atMs: number;
}
