import { messageOf } from '../../errors/earshot-error.ts';
import { frameFlags, type MediaMessage } from '../../ipc/messages.ts';
import type { EncoderSettings } from '../encoder-settings.ts';

/**
 * Sound of a segment is encoded in packets of 20 ms whatever the preset's: both ends know the number of packets
 * of each `pcm` message beforehand, even while the preset changes.
 */
export const segmentFrameMs = 20;
export const segmentFrameSamples = 960;
export const segmentFrameNs = BigInt(segmentFrameMs) * 1_000_000n;
/** One packet's interleaved s16le stereo. */
export const segmentFrameBytes = segmentFrameSamples * 4;

/** An encoder of whole frames, as {@link openEncoder} makes them. */
export interface SoundEncoder {
  encode(pcm: Uint8Array): Buffer;
  reset(): void;
  close(): void;
}

export interface SegmentSoundOptions {
  readonly openEncoder: (settings: EncoderSettings) => SoundEncoder;
  /** Sends one packet of a segment. */
  readonly send: (packet: {
    readonly payload: Buffer;
    readonly timestampNs: bigint;
    readonly flags: number;
  }) => void;
  /** A message that is none: what is wrong with it, in a sentence. */
  readonly refuse: (reason: string) => void;
}

/**
 * Encodes the sound of segments with an encoder of its own, so that the live sound's is not disturbed. Each
 * packet carries the timestamp of its message plus its place in it, which is how main knows it again.
 */
export class SegmentSound {
  readonly #options: SegmentSoundOptions;
  #settings: EncoderSettings | undefined;
  #encoder: SoundEncoder | undefined;

  constructor(options: SegmentSoundOptions) {
    this.#options = options;
  }

  /** The effective settings of the live sound; its frame length is not taken. */
  configure(settings: EncoderSettings): void {
    const next = { ...settings, frameMs: segmentFrameMs } as const;
    if (JSON.stringify(next) === JSON.stringify(this.#settings)) return;
    this.close();
    this.#settings = next;
  }

  /** Takes a `pcm` message; its payload is whole frames. Costs the encoding of each, at once. */
  take({ payload, timestampNs, flags }: MediaMessage): void {
    const { openEncoder, send, refuse } = this.#options;
    if (this.#settings === undefined) {
      refuse('pcm came before any configuration');
      return;
    }
    if (payload.length === 0 || payload.length % segmentFrameBytes !== 0) {
      refuse(
        `pcm of ${payload.length} bytes; allowed is a multiple of ${segmentFrameBytes}: 20 ms of 16-bit stereo`,
      );
      return;
    }
    try {
      this.#encoder ??= openEncoder(this.#settings);
      let mark = flags & frameFlags.discontinuity;
      if (mark !== 0) this.#encoder.reset();
      for (let from = 0; from < payload.length; from += segmentFrameBytes) {
        const place = BigInt(from / segmentFrameBytes) * segmentFrameNs;
        const packet = this.#encoder.encode(payload.subarray(from, from + segmentFrameBytes));
        send({
          payload: packet,
          timestampNs: timestampNs + place,
          flags: frameFlags.segment | mark,
        });
        mark = 0;
      }
    } catch (error) {
      refuse(messageOf(error));
    }
  }

  /** Frees the encoder; idempotent. The next message makes another. */
  close(): void {
    this.#encoder?.close();
    this.#encoder = undefined;
  }
}
