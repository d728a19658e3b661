import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { EarshotError, messageOf } from '../../errors/earshot-error.ts';
import type { EncoderSettings } from '../encoder-settings.ts';

/**
 * The typed face of the native audio addon: ALSA capture and Opus in one thread of its own
 * (docs/decisions/0001-native-audio-addon.md).
 */

/** What a capture runs with; already validated. */
export interface CaptureSettings {
  /** ALSA PCM name. */
  readonly device: string;
  readonly periodMs: number;
  readonly bufferMs: number;
  readonly encoder: EncoderSettings;
  readonly muted: boolean;
  readonly active: boolean;
}

/** One Opus packet. */
export interface CapturedPacket {
  readonly payload: Buffer;
  /** Samples per channel at 48 kHz. */
  readonly samples: number;
  /** When its first sample was captured, CLOCK_MONOTONIC ns. */
  readonly captureTimeNs: bigint;
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

interface Drained {
  readonly packets: readonly CapturedPacket[];
  readonly events: readonly CaptureEvent[];
  readonly generation: number;
}

/** What the addon exports (addon.c). A handle is opaque. */
interface NativeAudio {
  readonly opusVersion: string;
  readonly alsaVersion: string;
  open(settings: CaptureSettings, hotplugDirectory: string, onWake: () => void): object;
  configure(handle: object, settings: CaptureSettings): number;
  drain(handle: object): Drained;
  stats(handle: object): CaptureStats;
  close(handle: object, deadlineMs: number): boolean;
  listDevices(): readonly { readonly id: string; readonly description: string }[];
}

export interface OpenCaptureOptions {
  readonly settings: CaptureSettings;
  /** Called with every packet that fell due, oldest first; never with none. */
  readonly onPackets: (packets: readonly CapturedPacket[]) => void;
  readonly onEvent: (event: CaptureEvent) => void;
  /** Where device nodes appear when a card is plugged in; a change there retries at once. */
  readonly hotplugDirectory?: string;
}

/** How long closing waits for the thread; a driver that hangs is then left alone. */
const closeDeadlineMs = 500;

const fileName = 'earshot_audio.node';

/** Beside the bundle on a device, in the build directory in a checkout. */
function addonPaths(): string[] {
  return [
    join(import.meta.dirname, 'native', fileName),
    join(import.meta.dirname, 'build/Release', fileName),
  ];
}

let loaded: NativeAudio | undefined;

/** Loads the addon once. Throws AUDIO_NATIVE_MISSING naming the library that is missing. */
function native(): NativeAudio {
  loaded ??= loadNativeAudio(addonPaths());
  return loaded;
}

/** Loads the addon from the first of `candidates` that exists. Throws AUDIO_NATIVE_MISSING. */
export function loadNativeAudio(candidates: readonly string[]): NativeAudio {
  const path = candidates.find((candidate) => existsSync(candidate));
  if (path === undefined) {
    throw new EarshotError(
      'AUDIO_NATIVE_MISSING',
      `The native audio module is not built: there is no ${candidates.join(' and no ')}. Run "make setup".`,
      { details: { paths: candidates } },
    );
  }
  try {
    return createRequire(import.meta.url)(path);
  } catch (cause) {
    throw new EarshotError('AUDIO_NATIVE_MISSING', explain(path, messageOf(cause)), {
      cause,
      details: { path },
    });
  }
}

/** The Debian package of each library the addon links. */
const packages: Readonly<Record<string, string>> = {
  'libasound.so.2': 'libasound2',
  'libopus.so.0': 'libopus0',
  'libspeexdsp.so.1': 'libspeexdsp1',
};

function explain(path: string, reason: string): string {
  // The dynamic loader's words: "libopus.so.0: cannot open shared object file: …".
  const library = /(lib[\w+-]+\.so[\w.]*): cannot open shared object file/.exec(reason)?.[1];
  if (library === undefined) return `The native audio module ${path} cannot be loaded: ${reason}.`;
  const hint = packages[library];
  return `The native audio module needs ${library}, which is not installed${hint === undefined ? '' : ` (Debian package ${hint})`}.`;
}

/** The capture devices of this machine. Opens none, but may block in a broken driver. */
export function listDevices(): readonly { readonly id: string; readonly description: string }[] {
  return native().listDevices();
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
  readonly #waiting = new Map<number, () => void>();
  #generation = 0;
  #closed = false;

  /** {@link openCapture} makes one. */
  constructor(addon: NativeAudio, options: OpenCaptureOptions) {
    this.#options = options;
    this.#native = addon;
    const directory = options.hotplugDirectory ?? '/dev/snd';
    this.#handle = addon.open(options.settings, directory, () => this.#drain());
  }

  /**
   * Changes the settings between two frames. Resolves when they are in force: at once, or when a call
   * to ALSA that is under way returns. Throws when an encoder cannot be made; the old settings stay.
   */
  configure(settings: CaptureSettings): Promise<void> {
    if (this.#closed) return Promise.resolve();
    const generation = this.#native.configure(this.#handle, settings);
    if (generation <= this.#generation) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.set(generation, resolve);
    });
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
    for (const resolve of this.#waiting.values()) resolve();
    this.#waiting.clear();
    return ended;
  }

  #drain(): void {
    if (this.#closed) return;
    const { packets, events, generation } = this.#native.drain(this.#handle);
    this.#applied(generation);
    for (const event of events) this.#options.onEvent(event);
    if (packets.length > 0) this.#options.onPackets(packets);
  }

  #applied(generation: number): void {
    if (generation === this.#generation) return;
    this.#generation = generation;
    for (const [waiting, resolve] of this.#waiting) {
      if (waiting > generation) continue;
      this.#waiting.delete(waiting);
      resolve();
    }
  }
}

/** Starts a capture; the device is opened in its own thread. Throws AUDIO_NATIVE_MISSING. */
export function openCapture(options: OpenCaptureOptions): Capture {
  return new Capture(native(), options);
}
