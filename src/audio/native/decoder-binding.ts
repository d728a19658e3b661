import { type NativeAudio, native } from './native-audio.ts';

/** The longest Opus packet, 120 ms, in samples per channel (RFC 6716 §2.1.4). */
export const maxDecodedSamples = 5_760;

/**
 * An Opus decoder: 48 kHz, interleaved stereo, ±1. Packets may be anything: what is no Opus packet
 * (RFC 6716 §3.4) is refused before it changes the decoder. Lengths are in samples per channel. Every
 * `pcm` must have room for what is asked for, else a TypeError says what it needs.
 */
export class OpusDecoder {
  readonly #native: NativeAudio;
  readonly #handle: object;

  /** {@link openDecoder} makes one. */
  constructor(addon: NativeAudio) {
    this.#native = addon;
    this.#handle = addon.openDecoder();
  }

  /** Decodes one packet, up to {@link maxDecodedSamples}. Returns the samples written; 0: not an Opus packet. */
  decode(packet: Uint8Array, pcm: Float32Array): number {
    return this.#native.decode(this.#handle, packet, pcm);
  }

  /**
   * The packet that was lost before `next`, from its in-band FEC, or made up (PLC) where it carries none.
   * `samples` is what was lost: a multiple of 120 (2.5 ms). Returns the samples written; 0 on an error.
   * `next` itself is decoded after it.
   */
  decodeFec(next: Uint8Array, samples: number, pcm: Float32Array): number {
    return this.#native.decodeFec(this.#handle, next, samples, pcm);
  }

  /** Whether `next` carries in-band FEC for the packet before it: its LBRR flags (RFC 6716 §4.2.4). */
  hasFec(next: Uint8Array): boolean {
    return this.#native.hasFec(next);
  }

  /** Makes up `samples` (a multiple of 120) after what was decoded last. Returns the samples written; 0 on an error. */
  conceal(samples: number, pcm: Float32Array): number {
    return this.#native.conceal(this.#handle, samples, pcm);
  }

  /** As if nothing had been decoded: another stream begins. */
  reset(): void {
    this.#native.resetDecoder(this.#handle);
  }

  /** Frees it; idempotent. All else throws from then on. The garbage collector does it for one that is forgotten. */
  close(): void {
    this.#native.closeDecoder(this.#handle);
  }
}

/** Throws AUDIO_NATIVE_MISSING. */
export function openDecoder(): OpusDecoder {
  return new OpusDecoder(native());
}
