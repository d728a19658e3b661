import { maxFastLanePayloadBytes, writeSound } from './fast-lane-packets.ts';
import type { SoundPacket } from './peer.ts';

/** One packet of the stream as messages of the fast lane, each written at most once for all viewers. */
export class FastLanePacket {
  readonly #sound: SoundPacket;
  readonly #sequence: number;
  readonly #previous: Buffer | undefined;
  #plain: Uint8Array | undefined;
  #redundant: Uint8Array | undefined;

  constructor(options: {
    readonly sound: SoundPacket;
    readonly sequence: number;
    /** The packet before, where it is contiguous. */
    readonly previous: Buffer | undefined;
  }) {
    this.#sound = options.sound;
    this.#sequence = options.sequence;
    this.#previous = options.previous;
  }

  /** The message without redundancy. Nobody writes to it. */
  plain(): Uint8Array {
    this.#plain ??= this.#write(undefined);
    return this.#plain;
  }

  /** The message with the previous packet in it; without, where that is missing. Nobody writes to it. */
  redundant(): Uint8Array {
    this.#redundant ??= this.#previous === undefined ? this.plain() : this.#write(this.#previous);
    return this.#redundant;
  }

  #write(previous: Buffer | undefined): Uint8Array {
    const { payload, timestamp, captureTimeNs, discontinuity } = this.#sound;
    return writeSound({
      sequence: this.#sequence,
      timestamp: timestamp % 0x100000000,
      captureTimeUs: Number(captureTimeNs / 1_000n),
      discontinuity,
      payload,
      previous,
    });
  }
}

/** Numbers the packets of the host's sound for the fast lane: one stream, the same for all viewers. */
export class FastLaneStream {
  #sequence = 0;
  #previous: SoundPacket | undefined;

  /** A packet that nobody asked for: its number is spent, and nothing is kept of it. */
  skip(): void {
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#previous = undefined;
  }

  /** The next packet. Undefined where the lane cannot carry it; its number is spent then too. */
  next(sound: SoundPacket): FastLanePacket | undefined {
    const sequence = this.#sequence;
    const before = this.#previous;
    const isContiguous =
      before !== undefined && before.timestamp + before.samples === sound.timestamp;
    this.skip();
    const { length } = sound.payload;
    if (length === 0 || length > maxFastLanePayloadBytes) return undefined;
    this.#previous = sound;
    return new FastLanePacket({
      sound,
      sequence,
      previous: isContiguous ? before.payload : undefined,
    });
  }
}
