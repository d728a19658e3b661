/**
 * What a receiver knows of one stream: sequence validation, loss and jitter as RFC 3550 appendices
 * A.1, A.3 and A.8 compute them. Pure; the clock is passed in.
 *
 * One thing is left out of A.1: the probation of a new source. Ours are authenticated, and the first
 * packet counts.
 */

const sequenceSpace = 0x10000;
/** A jump ahead of this many packets is a restart rather than loss (A.1, MAX_DROPOUT). */
const maxDropout = 3_000;
/** A packet so far behind is late rather than a restart (A.1, MAX_MISORDER). */
const maxMisorder = 100;
/** A transit time that moved by more was moved by the sender: Chromium's timestamps stand still while it has no track. */
const maxTransitChangeMs = 1_000;

/** One report block about the stream (RFC 3550 §6.4.1), without the times of the sender's reports. */
export interface ReceptionSummary {
  /** Of the packets expected since the last summary, in 1/256, 0–255. */
  readonly fractionLost: number;
  /** Since the stream began; negative when packets came twice. Clamped to 24 bits with sign. */
  readonly packetsLost: number;
  /** Sequence number with the wraps counted in the upper 16 bits. */
  readonly highestSequence: number;
  /** In RTP time units. */
  readonly jitter: number;
}

export interface Arrival {
  /** 16 bits. */
  readonly sequence: number;
  /** 32 bits; undefined for a packet that carries no sampling instant of its own (padding). */
  readonly timestamp: number | undefined;
  /** Of any steady clock. */
  readonly arrivalMs: number;
}

export class ReceptionStatistics {
  readonly #clockRate: number;
  #began = false;
  #baseSequence = 0;
  #maxSequence = 0;
  #cycles = 0;
  /** The number after a jump: when it comes, the sender has restarted (A.1, bad_seq). */
  #restartAt: number | undefined;
  #received = 0;
  #expectedPrior = 0;
  #receivedPrior = 0;
  /** Loss of the numbering before a restart. */
  #lostBefore = 0;
  /** Transit time of the last packet, modulo 2³². */
  #transit: number | undefined;
  /** Times 16, as A.8 keeps it. */
  #jitter = 0;

  constructor(options: { readonly clockRate: number }) {
    this.#clockRate = options.clockRate;
  }

  /** Packets lost since the stream began, as far as is known; negative when packets came twice. */
  get packetsLost(): number {
    return this.#lostBefore + this.#expected() - this.#received;
  }

  /** Interarrival jitter in ms. */
  get jitterMs(): number {
    return ((this.#jitter / 16) * 1_000) / this.#clockRate;
  }

  /** Counts a packet. False for one far from all others, which counts only if the next follows on it. */
  add(packet: Arrival): boolean {
    if (!this.#isInSequence(packet.sequence)) return false;
    this.#received += 1;
    if (packet.timestamp !== undefined) this.#addTransit(packet.timestamp, packet.arrivalMs);
    return true;
  }

  /** The report since the last call; undefined when nothing came since (RFC 3550 §6.4: such a source is left out). */
  summarize(): ReceptionSummary | undefined {
    const received = this.#received - this.#receivedPrior;
    if (received === 0) return undefined;
    const expected = this.#expected() - this.#expectedPrior;
    this.#expectedPrior = this.#expected();
    this.#receivedPrior = this.#received;
    const lost = expected - received;
    return {
      fractionLost:
        expected <= 0 || lost <= 0 ? 0 : Math.min(255, Math.floor((lost * 256) / expected)),
      packetsLost: Math.max(-0x800000, Math.min(0x7fffff, this.packetsLost)),
      highestSequence: this.#cycles + this.#maxSequence,
      jitter: Math.floor(this.#jitter / 16),
    };
  }

  #expected(): number {
    return this.#began ? this.#cycles + this.#maxSequence - this.#baseSequence + 1 : 0;
  }

  #isInSequence(sequence: number): boolean {
    if (!this.#began) {
      this.#begin(sequence);
      return true;
    }
    const ahead = (sequence - this.#maxSequence) & 0xffff;
    if (ahead < maxDropout) {
      if (sequence < this.#maxSequence) this.#cycles += sequenceSpace;
      this.#maxSequence = sequence;
    } else if (ahead <= sequenceSpace - maxMisorder) {
      if (sequence !== this.#restartAt) {
        this.#restartAt = (sequence + 1) & 0xffff;
        return false;
      }
      this.#lostBefore = this.packetsLost;
      this.#begin(sequence);
    }
    return true;
  }

  #begin(sequence: number): void {
    this.#began = true;
    this.#baseSequence = sequence;
    this.#maxSequence = sequence;
    this.#cycles = 0;
    this.#restartAt = undefined;
    this.#received = 0;
    this.#expectedPrior = 0;
    this.#receivedPrior = 0;
    this.#transit = undefined;
  }

  #addTransit(timestamp: number, arrivalMs: number): void {
    const arrival = Math.floor((arrivalMs * this.#clockRate) / 1_000) % 0x100000000;
    const transit = (arrival - timestamp) | 0;
    const before = this.#transit;
    this.#transit = transit;
    if (before === undefined) return;
    const change = Math.abs((transit - before) | 0);
    if (change > (maxTransitChangeMs * this.#clockRate) / 1_000) return;
    this.#jitter += change - ((this.#jitter + 8) >> 4);
  }
}
