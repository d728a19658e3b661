import { join } from 'node:path';
import { loadNativeAddon } from '../../child/native-addon.ts';

/** The native platform addon as it is: found, loaded, and typed (addon.c). Handles are opaque. */

export interface NativePlatform {
  /** Bits of `events`: 1 readable, 2 writable, 4 disconnect, 8 priority. `status`: 0 or a negative errno. */
  watch(fd: number, events: number, onReady: (status: number, events: number) => void): object;
  watchEvents(watch: object, events: number): void;
  unwatch(watch: object): void;
  /** Whether a write would be taken right now. */
  writable(fd: number): boolean;
  gpioChip(chip: number): GpioChipInfo;
  gpioLine(chip: number, offset: number): GpioLineInfo;
  /** The line's descriptor, to be closed to give it back. `value` is an output's, `debounceUs` an input's. */
  gpioTake(
    chip: number,
    offset: number,
    flags: number,
    value: 0 | 1,
    debounceUs: number,
    consumer: string,
  ): number;
  gpioGet(line: number): 0 | 1;
  gpioSet(line: number, value: 0 | 1): void;
  /** 1 rising, 0 falling, −1 when no edge waits. */
  gpioEdge(line: number): 0 | 1 | -1;
}

/** GPIO_GET_CHIPINFO. */
export interface GpioChipInfo {
  /** As in /dev: `gpiochip0`. */
  readonly name: string;
  /** Of its driver. */
  readonly label: string;
  /** How many it has. */
  readonly lines: number;
}

/** GPIO_V2_GET_LINEINFO. */
export interface GpioLineInfo {
  /** From the device tree; empty where it has none. */
  readonly name: string;
  /** Who holds it; empty when nobody does, or nobody who says so. */
  readonly consumer: string;
  /** GPIO_V2_LINE_FLAG_* */
  readonly flags: number;
}

const fileName = 'earshot_platform.node';

/** Beside the bundle on a device, in the build directory in a checkout. */
function addonPaths(): string[] {
  return [
    join(import.meta.dirname, 'native', fileName),
    join(import.meta.dirname, 'build/Release', fileName),
  ];
}

let loaded: NativePlatform | undefined;

/** Loads the addon once. Throws PLATFORM_NATIVE_MISSING. */
export function nativePlatform(): NativePlatform {
  loaded ??= loadNativePlatform(addonPaths());
  return loaded;
}

/** Loads the addon from the first of `candidates` that exists. Throws PLATFORM_NATIVE_MISSING. */
export function loadNativePlatform(candidates: readonly string[]): NativePlatform {
  return loadNativeAddon({
    kind: 'platform',
    candidates,
    packages: {},
    missing: 'PLATFORM_NATIVE_MISSING',
  });
}
