import { type MessageType, messageTypes } from './messages.ts';

const modulus = 2 ** 32;

/** Numbers the frames of one direction, per type. */
export class SequenceCounter {
  readonly #next = new Uint32Array(256);

  /** The number of the next frame of `type`; wraps at 2³². */
  take(type: MessageType): number {
    const index = messageTypes[type];
    const sequence = this.#next[index] ?? 0;
    this.#next[index] = sequence + 1;
    return sequence;
  }
}

/** Watches the numbers of arriving frames, per type, and counts the missing ones. */
export class SequenceTracker {
  readonly #expected = new Float64Array(256).fill(-1);
  readonly #lost = new Uint8Array(256);
  #missing = 0;

  /** Frames missing so far, of all types. */
  get missing(): number {
    return this.#missing;
  }

  /** Notes a frame; true when frames before it are missing or were given to {@link lost}. */
  arrived(type: MessageType, sequence: number): boolean {
    const index = messageTypes[type];
    const expected = this.#expected[index] ?? -1;
    this.#expected[index] = (sequence + 1) % modulus;
    const afterLoss = this.#lost[index] === 1;
    this.#lost[index] = 0;
    if (expected === -1 || expected === sequence) return afterLoss;
    this.#missing += (sequence - expected + modulus) % modulus;
    return true;
  }

  /** The frame that just arrived is not passed on, so the next one follows a gap. */
  lost(type: MessageType): void {
    this.#lost[messageTypes[type]] = 1;
  }
}
