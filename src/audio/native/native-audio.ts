import { join } from 'node:path';
import { loadNativeAddon } from '../../child/native-addon.ts';
import type { EncoderSettings } from '../encoder-settings.ts';
import type { CaptureSettings, CaptureStats, DrainedCapture } from './binding.ts';
import type { DrainedPlayback, PlaybackSettings, PlaybackStats } from './playback-binding.ts';

/** The native audio addon as it is: found, loaded, and typed (addon_*.c). Handles are opaque. */

export interface NativeAudio {
  readonly opusVersion: string;
  readonly alsaVersion: string;
  open(settings: CaptureSettings, hotplugDirectory: string, onWake: () => void): object;
  configure(capture: object, settings: CaptureSettings): number;
  drain(capture: object): DrainedCapture;
  stats(capture: object): CaptureStats;
  openPlayback(settings: PlaybackSettings, hotplugDirectory: string, onWake: () => void): object;
  configurePlayback(playback: object, settings: PlaybackSettings): number;
  drainPlayback(playback: object): DrainedPlayback;
  write(playback: object, pcm: Float32Array, samples: number): number;
  queued(playback: object): { readonly ringSamples: number; readonly deviceSamples: number };
  setDrift(playback: object, ppm: number): void;
  playbackStats(playback: object): PlaybackStats;
  /** Of a capture or a playback. */
  close(worker: object, deadlineMs: number): boolean;
  openDecoder(): object;
  decode(decoder: object, packet: Uint8Array, pcm: Float32Array): number;
  decodeFec(decoder: object, next: Uint8Array, samples: number, pcm: Float32Array): number;
  hasFec(packet: Uint8Array): boolean;
  conceal(decoder: object, samples: number, pcm: Float32Array): number;
  resetDecoder(decoder: object): void;
  closeDecoder(decoder: object): void;
  openEncoder(settings: EncoderSettings): object;
  encode(encoder: object, pcm: Uint8Array): Buffer;
  resetEncoder(encoder: object): void;
  closeEncoder(encoder: object): void;
  listDevices(playback: boolean): readonly AudioDevice[];
}

export interface AudioDevice {
  /** ALSA PCM name. */
  readonly id: string;
  readonly description: string;
}

/** How long closing waits for a thread; one that a driver holds is then left alone. */
export const closeDeadlineMs = 500;

/** Where device nodes appear when a card is plugged in. */
export const defaultHotplugDirectory = '/dev/snd';

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
export function native(): NativeAudio {
  loaded ??= loadNativeAudio(addonPaths());
  return loaded;
}

/** Loads the addon from the first of `candidates` that exists. Throws AUDIO_NATIVE_MISSING. */
export function loadNativeAudio(candidates: readonly string[]): NativeAudio {
  return loadNativeAddon({ kind: 'audio', candidates, packages, missing: 'AUDIO_NATIVE_MISSING' });
}

/** The Debian package of each library the addon links. */
const packages: Readonly<Record<string, string>> = {
  'libasound.so.2': 'libasound2',
  'libopus.so.0': 'libopus0',
  'libspeexdsp.so.1': 'libspeexdsp1',
};
