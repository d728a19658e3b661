import { maxDelta, wheelNotch } from '../../control/hid/limits.ts';

/** CSS pixels that browsers report for one notch, where they report pixels. */
const pixelsPerNotch = 100;

/** Lines that they report for one, where they report lines (Firefox). */
const linesPerNotch = 3;

/** What of a WheelEvent is looked at. */
export interface WheelDelta {
  readonly deltaX: number;
  readonly deltaY: number;
  /** 0 pixels, 1 lines, 2 pages (UI Events §5.4). */
  readonly deltaMode: number;
}

/** What was turned, in 120ths of a notch; up and right are positive. */
export interface WheelSteps {
  readonly vertical: number;
  readonly horizontal: number;
}

/** Adds up what a wheel or a touchpad turns; fractions of a step are kept for the next time. */
export class WheelSum {
  #vertical = 0;
  #horizontal = 0;

  add({ deltaX, deltaY, deltaMode }: WheelDelta): void {
    const perUnit = wheelNotch / unitsPerNotch(deltaMode);
    // The page scrolls down with a positive number; a wheel that is turned up reports one (HID 1.11 usage 0x38).
    this.#vertical = within(this.#vertical - deltaY * perUnit);
    this.#horizontal = within(this.#horizontal + deltaX * perUnit);
  }

  /** What there is to send, which is then taken off; undefined: less than a step. */
  take(): WheelSteps | undefined {
    const vertical = Math.trunc(this.#vertical);
    const horizontal = Math.trunc(this.#horizontal);
    if (vertical === 0 && horizontal === 0) return undefined;
    this.#vertical -= vertical;
    this.#horizontal -= horizontal;
    return { vertical, horizontal };
  }

  clear(): void {
    this.#vertical = 0;
    this.#horizontal = 0;
  }
}

function unitsPerNotch(deltaMode: number): number {
  if (deltaMode === 0) return pixelsPerNotch;
  return deltaMode === 1 ? linesPerNotch : 1;
}

function within(steps: number): number {
  return Number.isFinite(steps) ? Math.min(maxDelta, Math.max(-maxDelta, steps)) : 0;
}
