import { maxCoordinate } from '../../src/control/hid/limits.ts';
import type { HostReport } from './host-report.ts';

/** What input is done to. */
export interface XInputSink {
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  key(keycode: number, down: boolean): void;
  button(button: number, down: boolean): void;
  moveTo(x: number, y: number): void;
  moveBy(dx: number, dy: number): void;
}

/** Buttons of X for the bits of a report: left, right, middle, back, forward. */
const buttons = [1, 3, 2, 8, 9] as const;
const [wheelUp, wheelDown, wheelLeft, wheelRight] = [4, 5, 6, 7];

/** What the reports of all the device's parts hold together: turns each report into the changes it makes. */
export class XInputState {
  readonly #sink: XInputSink;
  readonly #keys = new Map<string, readonly number[]>();
  readonly #masks = { absolute: 0, relative: 0 };
  #down: ReadonlySet<number> = new Set();
  #buttons = 0;

  constructor(sink: XInputSink) {
    this.#sink = sink;
  }

  apply(report: HostReport): void {
    switch (report.what) {
      case 'keys':
        this.#keys.set(`${report.device} modifiers`, report.modifiers);
        if (report.keys !== undefined) this.#keys.set(report.device, report.keys);
        this.#changeKeys();
        break;
      case 'absolute':
        // The host is to click there.
        this.#sink.moveTo(pixel(report.x, this.#sink.width), pixel(report.y, this.#sink.height));
        this.#changeButtons('absolute', report.buttons);
        break;
      case 'relative':
        if (report.dx !== 0 || report.dy !== 0) this.#sink.moveBy(report.dx, report.dy);
        this.#changeButtons('relative', report.buttons);
        this.#turn(report.wheel, wheelUp, wheelDown);
        this.#turn(report.pan, wheelRight, wheelLeft);
        break;
      default:
        report satisfies never;
    }
  }

  /** Lets go of everything. */
  release(): void {
    this.#keys.clear();
    this.#changeKeys();
    this.#changeButtons('absolute', 0);
    this.#changeButtons('relative', 0);
  }

  /** What goes up goes first, so that a modifier let go does not act on a key pressed with it. */
  #changeKeys(): void {
    const before = this.#down;
    // Modifiers of the keyboard were put in first.
    const down = new Set([...this.#keys.values()].flat());
    this.#down = down;
    for (const code of before) if (!down.has(code)) this.#sink.key(code, false);
    for (const code of down) if (!before.has(code)) this.#sink.key(code, true);
  }

  #changeButtons(device: 'absolute' | 'relative', mask: number): void {
    this.#masks[device] = mask;
    const now = this.#masks.absolute | this.#masks.relative;
    const changed = now ^ this.#buttons;
    this.#buttons = now;
    buttons.forEach((button, bit) => {
      if ((changed & (1 << bit)) !== 0) this.#sink.button(button, (now & (1 << bit)) !== 0);
    });
  }

  #turn(notches: number, positive: number, negative: number): void {
    const button = notches > 0 ? positive : negative;
    for (let n = 0; n < Math.abs(notches); n += 1) {
      this.#sink.button(button, true);
      this.#sink.button(button, false);
    }
  }
}

/** As an X server puts an axis on a screen: both ends of it are the first and the last pixel. */
function pixel(value: number, length: number): number {
  return Math.round((Math.min(value, maxCoordinate) * (length - 1)) / maxCoordinate);
}
