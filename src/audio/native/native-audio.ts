import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { EarshotError, messageOf } from '../../errors/earshot-error.ts';
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
