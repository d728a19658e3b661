import { join } from 'node:path';
import { loadNativeAddon } from '../../child/native-addon.ts';

/** The native video addon as it is: found, loaded, and typed (addon.c). Handles are opaque. */

export interface NativeVideo {
  readonly gstreamerVersion: string;
  open(description: string, elements: string, v4l2Device: string, onWake: () => void): object;
  setProperty(pipeline: object, element: string, property: string, value: string): void;
  forceKeyframe(pipeline: object): void;
  limitRate(pipeline: object, picturesPerSecond: number): void;
  push(pipeline: object, rgb: Uint8Array, width: number, height: number, ptsNs: number): boolean;
  drain(pipeline: object): { readonly units: readonly Unit[]; readonly events: readonly Event[] };
  stats(pipeline: object): PipelineStats;
  /** Tells it to end and returns at once; `onWake` is called when it has. Idempotent. */
  close(pipeline: object): void;
  /** Whether one that was told to close is gone. */
  ended(pipeline: object): boolean;
  /** Waits for its end until 1.5 s after it was told to close; then it is gone either way. */
  join(pipeline: object): void;
  /** Lets go of one that does not end; `onWake` is not called any more. */
  abandon(pipeline: object): void;
}

/** One encoded access unit. */
export interface Unit {
  readonly payload: Buffer;
  /** Running time of the pipeline; for a picture that was pushed, the time it was pushed with. */
  readonly ptsNs: number;
  /** When the source captured it, CLOCK_MONOTONIC ns. */
  readonly captureTimeNs: bigint;
  readonly width: number;
  readonly height: number;
  readonly keyframe: boolean;
  /** Units before it were dropped since JavaScript did not collect them. */
  readonly discontinuity: boolean;
}

export interface Event {
  /**
   * `playing`: live sources begin to deliver. `error`: it delivers no more. `elements`: `text` has those of
   * the names asked for that there are. `signal`: `text` is ok, no-signal, unsupported or lost.
   */
  readonly name: 'playing' | 'ended' | 'error' | 'warning' | 'element' | 'elements' | 'signal';
  /** Name of the element, or of the device. */
  readonly source: string;
  readonly text: string;
  /** Where it happened, in GStreamer's words; why there is no signal. */
  readonly detail: string;
}

/** Counters since the pipeline was opened; encoder times since they were last asked for. */
export interface PipelineStats {
  readonly units: number;
  readonly bytes: number;
  readonly keyframes: number;
  /** Pictures dropped before the encoder, since it was busy, and units nobody collected. */
  readonly dropped: number;
  readonly encodeMeanMs: number;
  readonly encodeMaxMs: number;
  readonly captureToEncodedMs: number;
  /** How long the pipeline's thread has been in one call; seconds mean that a driver does not return. */
  readonly busyMs: number;
}

const fileName = 'earshot_video.node';

/** Beside the bundle on a device, in the build directory in a checkout. */
function addonPaths(): string[] {
  return [
    join(import.meta.dirname, 'native', fileName),
    join(import.meta.dirname, 'build/Release', fileName),
  ];
}

/** The Debian package of each library the addon links. */
const packages: Readonly<Record<string, string>> = {
  'libgstreamer-1.0.so.0': 'libgstreamer1.0-0',
  'libgstapp-1.0.so.0': 'libgstreamer-plugins-base1.0-0',
  'libgstvideo-1.0.so.0': 'libgstreamer-plugins-base1.0-0',
  'libglib-2.0.so.0': 'libglib2.0-0',
};

let loaded: NativeVideo | undefined;

/** Loads the addon once. Throws VIDEO_NATIVE_MISSING naming the library that is missing. */
export function nativeVideo(): NativeVideo {
  loaded ??= loadNativeVideo(addonPaths());
  return loaded;
}

/** Loads the addon from the first of `candidates` that exists. Throws VIDEO_NATIVE_MISSING. */
export function loadNativeVideo(candidates: readonly string[]): NativeVideo {
  return loadNativeAddon({ kind: 'video', candidates, packages, missing: 'VIDEO_NATIVE_MISSING' });
}
