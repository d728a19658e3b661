import type { MediaType } from './messages.ts';

/** A media frame waiting for the socket, as the pieces that are written. */
export interface QueuedFrame {
  readonly timestampNs: bigint;
  readonly pieces: readonly Uint8Array[];
  readonly bytes: number;
}

/** How much of a media type may wait: newest minus oldest timestamp, and a number of frames. */
export interface QueueBound {
  readonly spanMs: number;
  readonly frames: number;
}

/**
 * 100 ms of audio, 3 encoded or raw pictures. The span reads the frames' own timestamps; the count bounds a
 * sender whose timestamps stand still (40 frames of 2.5 ms are 100 ms, Opus has none shorter).
 */
export const mediaQueueBounds: Readonly<Record<MediaType, QueueBound>> = {
  opus: { spanMs: 100, frames: 40 },
  pcm: { spanMs: 100, frames: 40 },
  video: { spanMs: Number.POSITIVE_INFINITY, frames: 3 },
  picture: { spanMs: Number.POSITIVE_INFINITY, frames: 3 },
};

/** A bounded queue of one media type that makes room by dropping its oldest frames. */
export class MediaQueue {
  readonly #spanNs: bigint | undefined;
  readonly #maxFrames: number;
  #frames: QueuedFrame[] = [];
  #bytes = 0;

  constructor({ spanMs, frames }: QueueBound) {
    this.#spanNs = Number.isFinite(spanMs) ? BigInt(Math.round(spanMs * 1e6)) : undefined;
    this.#maxFrames = frames;
  }

  get length(): number {
    return this.#frames.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** True when the next frame, like the newest, would push out the oldest. */
  get full(): boolean {
    if (this.#frames.length >= this.#maxFrames) return true;
    const newest = this.#frames.at(-1);
    return newest !== undefined && this.#tooLongWith(newest);
  }

  /** Adds a frame; returns how many were dropped to make room. */
  push(frame: QueuedFrame): number {
    let dropped = 0;
    while (this.#frames.length >= this.#maxFrames || this.#tooLongWith(frame)) {
      this.shift();
      dropped += 1;
    }
    this.#frames.push(frame);
    this.#bytes += frame.bytes;
    return dropped;
  }

  /** Takes the oldest frame. */
  shift(): QueuedFrame | undefined {
    const frame = this.#frames.shift();
    if (frame !== undefined) this.#bytes -= frame.bytes;
    return frame;
  }

  /** Drops everything; returns how many frames that were. */
  clear(): number {
    const dropped = this.#frames.length;
    this.#frames = [];
    this.#bytes = 0;
    return dropped;
  }

  #tooLongWith(newest: QueuedFrame): boolean {
    const oldest = this.#frames[0];
    if (this.#spanNs === undefined || oldest === undefined) return false;
    return newest.timestampNs - oldest.timestampNs >= this.#spanNs;
  }
}
