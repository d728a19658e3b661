import type { EncoderSettings } from '../encoder-settings.ts';
import { type NativeAudio, native } from './native-audio.ts';

/** An Opus encoder of its own, for sound that no device captures: 48 kHz, interleaved s16le stereo. */
export class OpusEncoder {
  readonly #native: NativeAudio;
  readonly #handle: object;

  /** {@link openEncoder} makes one. */
  constructor(addon: NativeAudio, settings: EncoderSettings) {
    this.#native = addon;
    this.#handle = addon.openEncoder(settings);
  }

  /** Encodes one frame, of the length in the settings; any other length is a TypeError that says which. */
  encode(pcm: Uint8Array): Buffer {
    return this.#native.encode(this.#handle, pcm);
  }

  /** As if nothing had been encoded: another sound begins. */
  reset(): void {
    this.#native.resetEncoder(this.#handle);
  }

  /** Frees it; idempotent. All else throws from then on. The garbage collector does it for one that is forgotten. */
  close(): void {
    this.#native.closeEncoder(this.#handle);
  }
}

/** Throws AUDIO_NATIVE_MISSING, or an Error when Opus refuses the settings. */
export function openEncoder(settings: EncoderSettings): OpusEncoder {
  return new OpusEncoder(native(), settings);
}
