import { wheelNotch } from './limits.ts';

/** Turns of a wheel as the viewer's browser tells them, 120 a notch, as whole notches; the rest is kept. */
export class WheelNotches {
  #vertical = 0;
  #horizontal = 0;

  /** The notches that are full by now: positive is up, and right. */
  turn(vertical: number, horizontal: number): { readonly wheel: number; readonly pan: number } {
    this.#vertical = carried(this.#vertical, vertical);
    this.#horizontal = carried(this.#horizontal, horizontal);
    const wheel = wholeNotches(this.#vertical);
    const pan = wholeNotches(this.#horizontal);
    this.#vertical -= wheel * wheelNotch;
    this.#horizontal -= pan * wheelNotch;
    return { wheel, pan };
  }

  reset(): void {
    this.#vertical = 0;
    this.#horizontal = 0;
  }
}

/** A turn back begins anew, as wheels do. */
function carried(rest: number, turn: number): number {
  return rest * turn < 0 ? turn : rest + turn;
}

function wholeNotches(sum: number): number {
  return Math.trunc(sum / wheelNotch) + 0;
}
