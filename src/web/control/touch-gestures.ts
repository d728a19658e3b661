/** A finger on the picture, in CSS pixels of the page. */
export interface Finger {
  readonly id: number;
  readonly clientX: number;
  readonly clientY: number;
  readonly timeStamp: number;
}

export interface TouchActions {
  /** The pointer goes where the finger is. */
  readonly point: (finger: Finger) => void;
  /** A button (bit 0 left, bit 1 right) is pressed and let go. */
  readonly click: (mask: number, finger: Finger) => void;
  /** Two fingers moved by so much, in CSS pixels. */
  readonly scroll: (by: { readonly dx: number; readonly dy: number }, timeStamp: number) => void;
}

/** A finger that stays for longer, or goes further, does not tap. */
const tapMs = 400;
const tapPixels = 12;

interface Touch {
  readonly first: Finger;
  last: Finger;
}

/**
 * Fingers as a mouse: one points, a tap of one is the left button and of two the right one, and two
 * that move turn the wheel.
 */
export class TouchGestures {
  readonly #actions: TouchActions;
  readonly #touches = new Map<number, Touch>();
  /** The most fingers that were down at once in this gesture. */
  #most = 0;
  #isTap = true;

  constructor(actions: TouchActions) {
    this.#actions = actions;
  }

  down(finger: Finger): void {
    if (this.#touches.size === 0) {
      this.#most = 0;
      this.#isTap = true;
    }
    this.#touches.set(finger.id, { first: finger, last: finger });
    this.#most = Math.max(this.#most, this.#touches.size);
    if (this.#most === 1) this.#actions.point(finger);
  }

  move(finger: Finger): void {
    const touch = this.#touches.get(finger.id);
    if (touch === undefined) return;
    const { first, last } = touch;
    touch.last = finger;
    const far = Math.hypot(finger.clientX - first.clientX, finger.clientY - first.clientY);
    if (far > tapPixels) this.#isTap = false;
    if (this.#most === 1) this.#actions.point(finger);
    else if (this.#most === 2 && this.#touches.size === 2 && !this.#isTap) {
      // Either finger counts half: both together are one movement.
      const dx = (finger.clientX - last.clientX) / 2;
      const dy = (finger.clientY - last.clientY) / 2;
      this.#actions.scroll({ dx, dy }, finger.timeStamp);
    }
  }

  up(finger: Finger): void {
    const touch = this.#touches.get(finger.id);
    if (touch === undefined) return;
    this.#touches.delete(finger.id);
    if (finger.timeStamp - touch.first.timeStamp > tapMs) this.#isTap = false;
    if (this.#touches.size > 0 || !this.#isTap || this.#most > 2) return;
    this.#actions.click(this.#most === 2 ? 0b10 : 0b01, touch.first);
  }

  /** The fingers are no longer told of. */
  cancel(): void {
    this.#touches.clear();
    this.#isTap = false;
  }
}
