import type { EncoderSettings } from '../encoder-settings.ts';
import { AppliedSettings } from './applied-settings.ts';
import {
  type AudioDevice,
  closeDeadlineMs,
  defaultHotplugDirectory,
  type NativeAudio,
  native,
} from './native-audio.ts';

/**
 * The capturing side of the native audio addon: ALSA capture and Opus in one thread of its own
 * (docs/decisions/0001-native-audio-addon.md).
 */

/** What a capture runs with; already validated. */
export interface CaptureSettings {
  /** ALSA PCM name. */
  readonly device: string;
  readonly periodMs: number;
  readonly bufferMs: number;
  readonly encoder: EncoderSettings;
  /** How long the sound is held back before it is encoded, 0–800 ms; moved to without a click. */
  readonly delayMs: number;
  readonly muted: boolean;
  readonly active: boolean;
}

/** One Opus packet. */
export interface CapturedPacket {
  readonly payload: Buffer;
  /** Samples per channel at 48 kHz. */
  readonly samples: number;
  /** When its first sample was captured, CLOCK_MONOTONIC ns; of sound held back too. */
  readonly captureTimeNs: bigint;
  /** When the encoder was done with it, of the same clock. */
  readonly encodedNs: bigint;
  /** Sound is missing before this packet. */
  readonly discontinuity: boolean;
}

export type CaptureEvent =
  | {
      /** The first sound came from the device. */
      readonly name: 'opened';
      readonly device: string;
      readonly rateHz: number;
      readonly channels: number;
      readonly periodMs: number;
      readonly bufferMs: number;
    }
  /** The device is not there or failed; posted once for one reason. */
  | {
      readonly name: 'lost';
      readonly device: string;
      readonly error: string;
      readonly retryMs: number;
    }
  | { readonly name: 'xrun'; readonly lostSamples: number }
  | { readonly name: 'realtime-refused'; readonly error: string };

/** Counters since the capture began; levels and encoder times since they were last asked for. */
export interface CaptureStats {
  /** 0 while the device is not open. */
  readonly deviceRateHz: number;
  readonly deviceChannels: number;
  readonly capturedSamples: number;
  readonly encodedFrames: number;
  readonly encodedBytes: number;
  readonly droppedFrames: number;
  readonly xruns: number;
  readonly suspends: number;
  readonly reopens: number;
  readonly lostSamples: number;
  readonly encodeMeanUs: number;
  readonly encodeMaxUs: number;
  readonly peakDbfs: number;
  readonly rmsDbfs: number;
  readonly realtime: boolean;
  /** How long the thread has been at work without sleeping; seconds mean that ALSA does not return. */
  readonly busyMs: number;
}

/** What waited when the thread woke JavaScript. */
export interface DrainedCapture {
  readonly packets: readonly CapturedPacket[];
  readonly events: readonly CaptureEvent[];
  readonly generation: number;
}

export interface OpenCaptureOptions {
  readonly settings: CaptureSettings;
  /** Called with every packet that fell due, oldest first; never with none. */
  readonly onPackets: (packets: readonly CapturedPacket[]) => void;
  readonly onEvent: (event: CaptureEvent) => void;
  /** Where device nodes appear when a card is plugged in; a change there retries at once. */
  readonly hotplugDirectory?: string;
}

/** The capture devices of this machine. Opens none, but may block in a broken driver. */
export function listDevices(): readonly AudioDevice[] {
  return native().listDevices(false);
}

/** The versions of the libraries in use, for the log. */
export function libraryVersions(): { readonly opus: string; readonly alsa: string } {
  const { opusVersion, alsaVersion } = native();
  return { opus: opusVersion, alsa: alsaVersion };
}

/** A running capture. It holds the event loop open until it is closed. */
export class Capture {
  readonly #options: OpenCaptureOptions;
  readonly #native: NativeAudio;
  readonly #handle: object;
  readonly #applied = new AppliedSettings();
  #closed = false;

  /** {@link openCapture} makes one. */
  constructor(addon: NativeAudio, options: OpenCaptureOptions) {
    this.#options = options;
    this.#native = addon;
    const directory = options.hotplugDirectory ?? defaultHotplugDirectory;
    this.#handle = addon.open(options.settings, directory, () => this.#drain());
  }

  /**
   * Changes the settings between two frames. Resolves when they are in force: at once, or when a call
   * to ALSA that is under way returns. Throws when an encoder cannot be made; the old settings stay.
   */
  configure(settings: CaptureSettings): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return this.#applied.wait(this.#native.configure(this.#handle, settings));
  }

  stats(): CaptureStats {
    return this.#native.stats(this.#handle);
  }

  /**
   * Ends the capture; idempotent. Takes a few ms, half a second at most. False when the thread hangs in
   * ALSA and was left behind.
   */
  close(): boolean {
    if (this.#closed) return true;
    this.#closed = true;
    const ended = this.#native.close(this.#handle, closeDeadlineMs);
    this.#applied.end();
    return ended;
  }

  #drain(): void {
    if (this.#closed) return;
    const { packets, events, generation } = this.#native.drain(this.#handle);
    this.#applied.reach(generation);
    for (const event of events) this.#options.onEvent(event);
    if (packets.length > 0) this.#options.onPackets(packets);
  }
}

/** Starts a capture; the device is opened in its own thread. Throws AUDIO_NATIVE_MISSING. */
export function openCapture(options: OpenCaptureOptions): Capture {
  return new Capture(native(), options);
}
