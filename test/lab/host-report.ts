import type { ReportKind } from '../../src/control/hid/hid-host.ts';
import {
  consumerKeycode,
  keyboardKeycode,
  modifierKeycodes,
  systemKeycodes,
} from './evdev-keys.ts';

/** What one report says to a host, in keycodes of X. Pure. */
export type HostReport =
  /** All keys of one device, modifiers first; undefined `keys`: too many are held, they stay as they are. */
  | {
      readonly what: 'keys';
      readonly device: 'keyboard' | 'consumer' | 'system';
      readonly modifiers: readonly number[];
      readonly keys: readonly number[] | undefined;
    }
  | {
      readonly what: 'absolute';
      readonly buttons: number;
      /** 0–32767 over the screen. */
      readonly x: number;
      readonly y: number;
    }
  | {
      readonly what: 'relative';
      readonly buttons: number;
      readonly dx: number;
      readonly dy: number;
      /** Notches, positive up and right. */
      readonly wheel: number;
      readonly pan: number;
    };

const errorRollover = 0x01;

/** Reads a report of the right length (src/control/hid/reports.ts). */
export function hostReport(kind: ReportKind, bytes: Uint8Array): HostReport {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (kind) {
    case 'keyboard': {
      const usages = [...bytes.subarray(2)];
      const keys = usages.includes(errorRollover)
        ? undefined
        : usages.flatMap((usage) => keyboardKeycode(usage) ?? []);
      return { what: 'keys', device: kind, modifiers: modifierKeycodes(view.getUint8(0)), keys };
    }
    case 'consumer': {
      const code = consumerKeycode(view.getUint16(0, true));
      return { what: 'keys', device: kind, modifiers: [], keys: code === undefined ? [] : [code] };
    }
    case 'system':
      return {
        what: 'keys',
        device: kind,
        modifiers: [],
        keys: systemKeycodes(view.getUint8(0)),
      };
    case 'absolute':
      return {
        what: kind,
        buttons: view.getUint8(0),
        x: view.getUint16(1, true),
        y: view.getUint16(3, true),
      };
    case 'relative':
      return {
        what: kind,
        buttons: view.getUint8(0),
        dx: view.getInt16(1, true),
        dy: view.getInt16(3, true),
        wheel: view.getInt8(5),
        pan: view.getInt8(6),
      };
  }
}
