import type { JitterItem } from './playout-step.ts';

/** Where a packet's sound is kept, and when it was captured. */
export interface KeptSound {
  /** Sample number since the store began; sound is kept until 65,536 samples later. */
  at: number;
  /** CLOCK_MONOTONIC of the device, µs, of the first sample; −1: unknown. */
  captureTimeUs: number;
}

/** A jitter buffer's item that is used again. */
export interface KeptPacket extends JitterItem<KeptSound> {
  ssrc: number;
  sequence: number;
  timestamp: number;
  samples: number;
  isDtx: boolean;
  isCopy: boolean;
  readonly payload: KeptSound;
  arrivalMs: number;
}

/** Samples per channel: 1.37 s. A power of two. */
const capacity = 65_536;
/**
 * More than can be taken while one of them is held: a jitter buffer holds sequence numbers within 512 of
 * the newest, so while one is there at most 1,023 others are taken, before and after it.
 */
const packets = 1_040;

/**
 * The sound of packets that wait for their turn, interleaved stereo in one ring, and the packets
 * themselves, all made beforehand. What is not fetched in time is written over, and known to be gone.
 */
export class SoundStore {
  readonly #sound = new Float32Array(capacity * 2);
  readonly #packets: KeptPacket[] = Array.from({ length: packets }, blankPacket);
  /** For when there is none, which does not happen. */
  readonly #spare = blankPacket();
  #next = 0;
  #end = 0;

  /** A packet to be filled in. It is the same one until `keep` is called. */
  get blank(): KeptPacket {
    return this.#packets[this.#next] ?? this.#spare;
  }

  /** Keeps the blank packet with its sound, of `samples` per channel, at most 5,760. */
  keep(left: Float32Array, right: Float32Array): void {
    const { samples, payload } = this.blank;
    const room = capacity - (this.#end % capacity);
    if (room < samples) this.#end += room;
    payload.at = this.#end;
    let to = (this.#end % capacity) * 2;
    for (let i = 0; i < samples; i += 1) {
      this.#sound[to] = left[i] ?? 0;
      this.#sound[to + 1] = right[i] ?? 0;
      to += 2;
    }
    this.#end += samples;
    this.#next = (this.#next + 1) % packets;
  }

  /** Copies a packet's sound, interleaved. False when it was written over. */
  fetch({ payload, samples }: JitterItem<KeptSound>, into: Float32Array): boolean {
    if (this.#end - payload.at > capacity) return false;
    const from = (payload.at % capacity) * 2;
    for (let i = 0; i < samples * 2; i += 1) into[i] = this.#sound[from + i] ?? 0;
    return true;
  }
}

function blankPacket(): KeptPacket {
  return {
    ssrc: 0,
    sequence: 0,
    timestamp: 0,
    samples: 0,
    isDtx: false,
    isCopy: false,
    payload: { at: 0, captureTimeUs: -1 },
    arrivalMs: 0,
  };
}
