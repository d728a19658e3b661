import { maxDelta, maxNotches } from './limits.ts';

/**
 * The reports as bytes; src/platform/gadget/report-descriptors.ts describes the same to the host. Little-endian
 * (HID 1.11 §5.8).
 */

export const reportBytes = {
  keyboard: 8,
  absolute: 5,
  relative: 7,
  consumer: 2,
  system: 1,
} as const;

/** Keys a boot keyboard can report beside its modifiers. */
export const rolloverKeys = 6;
const errorRollover = 0x01;

/**
 * Boot keyboard (HID 1.11 appendix B.1): modifiers, 0, six usages. With more than six keys held all six say
 * ErrorRollOver, the modifiers stay.
 */
export function keyboardReport(modifiers: number, keys: readonly number[]): Uint8Array {
  const report = new Uint8Array(reportBytes.keyboard);
  report[0] = modifiers;
  if (keys.length > rolloverKeys) report.fill(errorRollover, 2);
  else report.set(keys, 2);
  return report;
}

/** Where the pointer is, 0–32767 over the picture's width and height. */
export function absoluteReport(report: {
  readonly buttons: number;
  readonly x: number;
  readonly y: number;
}): Uint8Array {
  const view = new DataView(new ArrayBuffer(reportBytes.absolute));
  view.setUint8(0, report.buttons);
  view.setUint16(1, report.x, true);
  view.setUint16(3, report.y, true);
  return new Uint8Array(view.buffer);
}

/** Steps of a mouse: −32767…32767 each way, −127…127 notches of wheel (up) and pan (right). */
export interface RelativeMotion {
  readonly dx: number;
  readonly dy: number;
  readonly wheel: number;
  readonly pan: number;
}

export function relativeReport(buttons: number, motion: RelativeMotion): Uint8Array {
  const view = new DataView(new ArrayBuffer(reportBytes.relative));
  view.setUint8(0, buttons);
  view.setInt16(1, motion.dx, true);
  view.setInt16(3, motion.dy, true);
  view.setInt8(5, motion.wheel);
  view.setInt8(6, motion.pan);
  return new Uint8Array(view.buffer);
}

/** One usage of the Consumer page; 0 none. */
export function consumerReport(usage: number): Uint8Array {
  return Uint8Array.of(usage & 0xff, usage >> 8);
}

/** Bit 0 power down, 1 sleep, 2 wake up (Generic Desktop 0x81–0x83). */
export function systemReport(mask: number): Uint8Array {
  return Uint8Array.of(mask);
}

/** As much of the motion as one report holds; the rest is for the next. */
export function firstPart(motion: RelativeMotion): RelativeMotion {
  return {
    dx: bounded(motion.dx, maxDelta),
    dy: bounded(motion.dy, maxDelta),
    wheel: bounded(motion.wheel, maxNotches),
    pan: bounded(motion.pan, maxNotches),
  };
}

/** What of `motion` is left after `part`. */
export function remainder(motion: RelativeMotion, part: RelativeMotion): RelativeMotion {
  return {
    dx: motion.dx - part.dx,
    dy: motion.dy - part.dy,
    wheel: motion.wheel - part.wheel,
    pan: motion.pan - part.pan,
  };
}

export function isStill({ dx, dy, wheel, pan }: RelativeMotion): boolean {
  return dx === 0 && dy === 0 && wheel === 0 && pan === 0;
}

function bounded(value: number, limit: number): number {
  return Math.min(Math.max(value, -limit), limit);
}
