import { AppliedSettings } from './applied-settings.ts';
import {
  type AudioDevice,
  closeDeadlineMs,
  defaultHotplugDirectory,
  type NativeAudio,
  native,
} from './native-audio.ts';

/**
 * The playing side of the native audio addon: a ring of 500 ms, a drift-tracking resampler and ALSA
 * playback in one thread of its own (docs/decisions/0001-native-audio-addon.md). Sound is 48 kHz
 * interleaved stereo, ±1, and counted in samples per channel.
 */

/** What a playback runs with; already validated. */
export interface PlaybackSettings {
  /** ALSA PCM name. */
  readonly device: string;
  /** One ALSA period: how often the thread wakes. */
  readonly periodMs: number;
  /** ALSA's buffer, which is kept full: what it holds is delay. */
  readonly bufferMs: number;
  /** Fades to silence within 5 ms; what is written is used up as before. */
  readonly muted: boolean;
  /** False closes the device and empties the ring. */
  readonly active: boolean;
  /** `onNeed` is called while the ring holds less, 0–500. */
  readonly lowWaterMs: number;
}

export type PlaybackEvent =
  | {
      /** The device plays. */
      readonly name: 'opened';
      readonly device: string;
      readonly rateHz: number;
      readonly channels: number;
      readonly periodMs: number;
      readonly bufferMs: number;
    }
  /** The device is not there or failed; posted once for one reason, and tried again. */
  | {
      readonly name: 'lost';
      readonly device: string;
      readonly error: string;
      readonly retryMs: number;
    }
  /** The host of a USB gadget does not record (nothing moves for 500 ms, or EIO), or begins to: no fault. */
  | { readonly name: 'idle'; readonly device: string; readonly idle: boolean }
  /** An underrun; `count` of them since the playback began. */
  | { readonly name: 'xrun'; readonly count: number }
  | { readonly name: 'realtime-refused'; readonly error: string };

/** Counters since the playback began; levels since they were last asked for. */
export interface PlaybackStats {
  /** 0 while the device is not open. */
  readonly deviceRateHz: number;
  readonly deviceChannels: number;
  /** Samples that were written and went on to the device; silence in between is not counted. */
  readonly playedSamples: number;
  readonly xruns: number;
  readonly suspends: number;
  readonly reopens: number;
  /** Times the ring ran dry while it played: once for each dry spell. */
  readonly starvations: number;
  /** As played: after mute. */
  readonly peakDbfs: number;
  readonly rmsDbfs: number;
  readonly realtime: boolean;
  /** How long the thread has been at work without sleeping; seconds mean that ALSA does not return. */
  readonly busyMs: number;
}

export interface PlaybackQueue {
  /** What waits in the ring, in samples at 48 kHz. */
  readonly ringSamples: number;
  /** What waits behind it, in the resampler and in ALSA, at this moment; −1 while nothing would be heard. */
  readonly deviceSamples: number;
}

/** What waited when the thread woke JavaScript. */
export interface DrainedPlayback {
  readonly events: readonly PlaybackEvent[];
  readonly needed: boolean;
  readonly generation: number;
}

export interface OpenPlaybackOptions {
  readonly settings: PlaybackSettings;
  /** Called once per period while the ring is below its low-water mark and the device plays. */
  readonly onNeed: () => void;
  readonly onEvent: (event: PlaybackEvent) => void;
  /** Where device nodes appear when a card is plugged in; a change there retries at once. */
  readonly hotplugDirectory?: string;
}

/** The limit of {@link Playback.setDriftPpm}. */
export const maxDriftPpm = 20_000;

/** A running playback. It holds the event loop open until it is closed. */
export class Playback {
  readonly #options: OpenPlaybackOptions;
  readonly #native: NativeAudio;
  readonly #handle: object;
  readonly #applied = new AppliedSettings();
  #closed = false;

  /** {@link openPlayback} makes one. */
  constructor(addon: NativeAudio, options: OpenPlaybackOptions) {
    this.#options = options;
    this.#native = addon;
    const directory = options.hotplugDirectory ?? defaultHotplugDirectory;
    this.#handle = addon.openPlayback(options.settings, directory, () => this.#drain());
  }

  /**
   * Queues `samples` of `pcm`. Returns how many were taken: fewer when the ring (500 ms) is full, none
   * while the device is closed, suspended or idle, since what waits there would be heard too late.
   */
  write(pcm: Float32Array, samples: number): number {
    return this.#native.write(this.#handle, pcm, samples);
  }

  /** What waits to be heard; the delay of a sample written now, in all. */
  queued(): PlaybackQueue {
    return this.#native.queued(this.#handle);
  }

  /**
   * Positive: what is written is used up that much faster than the device's clock says (the sender's
   * clock is fast). Limited to ±{@link maxDriftPpm}; in force with the next period.
   */
  setDriftPpm(ppm: number): void {
    this.#native.setDrift(this.#handle, ppm);
  }

  /**
   * Changes the settings; the device is opened anew only when it, its period or its buffer change.
   * Resolves when they are in force: at once, or when a call to ALSA that is under way returns.
   */
  configure(settings: PlaybackSettings): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return this.#applied.wait(this.#native.configurePlayback(this.#handle, settings));
  }

  stats(): PlaybackStats {
    return this.#native.playbackStats(this.#handle);
  }

  /**
   * Ends the playback without playing out what waits; idempotent. Takes a few ms, half a second at most.
   * False when the thread hangs in ALSA and was left behind.
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
    const { events, needed, generation } = this.#native.drainPlayback(this.#handle);
    this.#applied.reach(generation);
    for (const event of events) this.#options.onEvent(event);
    if (needed && !this.#closed) this.#options.onNeed();
  }
}

/** Starts a playback; the device is opened in its own thread. Throws AUDIO_NATIVE_MISSING. */
export function openPlayback(options: OpenPlaybackOptions): Playback {
  return new Playback(native(), options);
}

/** The playback devices of this machine. Opens none, but may block in a broken driver. */
export function listPlaybackDevices(): readonly AudioDevice[] {
  return native().listDevices(true);
}
