import type { Channel } from '../ipc/channel.ts';
import { frameFlags } from '../ipc/messages.ts';

export interface FrameSenderOptions {
  readonly channel: Pick<Channel, 'sendMedia' | 'on'>;
  /** Frames were dropped, so that none can follow but a keyframe. */
  readonly onKeyframeWanted: () => void;
}

export interface FrameToSend {
  readonly payload: Buffer;
  readonly timestampNs: bigint;
  readonly keyframe: boolean;
  readonly discontinuity: boolean;
  readonly segment: boolean;
}

/**
 * Sends encoded pictures to the main process, and none in place of one that others refer to: when main
 * does not keep up, what comes is dropped until it does, and then the next frame is a keyframe.
 */
export class FrameSender {
  readonly #options: FrameSenderOptions;
  #full = false;
  /** What was dropped is followed by a keyframe of its own stream. */
  #broken = { live: false, segment: false };
  #dropped = 0;

  constructor(options: FrameSenderOptions) {
    this.#options = options;
    options.channel.on('drain', () => this.#drained());
  }

  /** Frames that were not sent since main did not take them. */
  get dropped(): number {
    return this.#dropped;
  }

  /** One frame; costs one frame object and no copy. False when it was dropped. */
  send({ payload, timestampNs, keyframe, discontinuity, segment }: FrameToSend): boolean {
    const stream = segment ? 'segment' : 'live';
    if (this.#full || (this.#broken[stream] && !keyframe)) {
      this.#broken[stream] = true;
      this.#dropped += 1;
      return false;
    }
    const breaks = discontinuity || this.#broken[stream];
    this.#broken[stream] = false;
    this.#full = !this.#options.channel.sendMedia({
      type: 'video',
      payload,
      timestampNs,
      flags:
        (keyframe ? frameFlags.keyframe : 0) |
        (breaks ? frameFlags.discontinuity : 0) |
        (segment ? frameFlags.segment : 0),
    });
    return true;
  }

  #drained(): void {
    if (!this.#full) return;
    this.#full = false;
    if (this.#broken.live || this.#broken.segment) this.#options.onKeyframeWanted();
  }
}
