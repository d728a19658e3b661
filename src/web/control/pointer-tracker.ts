import type { PointerMode } from '../../control/hid/hid-messages.ts';
import { maxDelta } from '../../control/hid/limits.ts';
import type { HostPlace } from './picture-place.ts';
import { type WheelDelta, type WheelSteps, WheelSum } from './wheel-steps.ts';

/** What takes what the pointer does. Times are the page's, in ms. */
export interface PointerSink {
  /** False: not now, since more waits to be sent than is of use; the newest place is offered again. */
  moveTo(place: HostPlace, timeStamp: number): boolean;
  /** False: not now; the sum is kept. */
  moveBy(by: { readonly dx: number; readonly dy: number }, timeStamp: number): boolean;
  /** Bits 0–4: left, right, middle, back, forward. `place` is where, in absolute mode. */
  buttons(mask: number, place: HostPlace | undefined, timeStamp: number): void;
  wheel(steps: WheelSteps, timeStamp: number): void;
}

/** Buttons that a mouse has here (bits of MouseEvent.buttons, which are those of the report). */
const buttonBits = 0b1_1111;

/** Puts together what the pointer does between two frames. */
export class PointerTracker {
  readonly #sink: PointerSink;
  readonly #wheel = new WheelSum();
  #mode: PointerMode = 'absolute';
  #buttons = 0;
  #place: HostPlace | undefined;
  #isPlaceNew = false;
  #dx = 0;
  #dy = 0;
  /** Of the newest event that is not sent yet. */
  #timeStamp = 0;

  constructor(sink: PointerSink) {
    this.#sink = sink;
  }

  get mode(): PointerMode {
    return this.#mode;
  }

  /** The buttons that are held, as a mask. */
  get buttons(): number {
    return this.#buttons;
  }

  /** Forgets what was not sent, and the buttons: whoever changes the mode releases them. */
  setMode(mode: PointerMode): void {
    this.clear();
    this.#mode = mode;
  }

  movedTo(place: HostPlace, timeStamp: number): void {
    if (this.#place?.x === place.x && this.#place.y === place.y) return;
    this.#place = place;
    this.#isPlaceNew = true;
    this.#timeStamp = timeStamp;
  }

  movedBy(dx: number, dy: number, timeStamp: number): void {
    this.#dx = within(this.#dx + dx);
    this.#dy = within(this.#dy + dy);
    this.#timeStamp = timeStamp;
  }

  turned(delta: WheelDelta, timeStamp: number): void {
    this.#wheel.add(delta);
    this.#timeStamp = timeStamp;
  }

  /** The buttons are `mask` from now on. What moved before is sent first: the host is to click there. */
  pressed(mask: number, timeStamp: number): void {
    const buttons = mask & buttonBits;
    if (buttons === this.#buttons) return;
    this.#buttons = buttons;
    if (this.#mode === 'relative') {
      this.frame();
      this.#sink.buttons(buttons, undefined, timeStamp);
      return;
    }
    // The place is in the message itself.
    this.#isPlaceNew = false;
    this.#sink.buttons(buttons, this.#place, timeStamp);
  }

  /** Sends what is new since the last frame. */
  frame(): void {
    if (this.#isPlaceNew && this.#place !== undefined) {
      this.#isPlaceNew = !this.#sink.moveTo(this.#place, this.#timeStamp);
    }
    const by = { dx: Math.trunc(this.#dx), dy: Math.trunc(this.#dy) };
    if ((by.dx !== 0 || by.dy !== 0) && this.#sink.moveBy(by, this.#timeStamp)) {
      this.#dx -= by.dx;
      this.#dy -= by.dy;
    }
    const steps = this.#wheel.take();
    if (steps !== undefined) this.#sink.wheel(steps, this.#timeStamp);
  }

  /** Forgets everything that is held and not sent. */
  clear(): void {
    this.#buttons = 0;
    this.#isPlaceNew = false;
    this.#place = undefined;
    this.#dx = 0;
    this.#dy = 0;
    this.#wheel.clear();
  }
}

function within(movement: number): number {
  return Math.min(maxDelta, Math.max(-maxDelta, movement));
}
