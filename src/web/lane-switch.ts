import type { Lane } from './lane-chooser.ts';

/**
 * How long both lanes are open when they change: the fade of the fast lane. Measured from card to card,
 * both need the same time from here to the loudspeaker: with 0 ms there are gaps of 2 ms, with 10 ms
 * there is none and the sound is there twice for 10–20 ms.
 */
export const laneOverlapMs = 10;

export interface LaneSwitchOptions {
  readonly setTrackAudible: (audible: boolean) => void;
  readonly setFastAudible: (audible: boolean) => void;
  /** Runs `action` after a delay, unless the function returned is called before. */
  readonly later: (delayMs: number, action: () => void) => () => void;
}

/**
 * Has exactly one lane sound.
 *
 * INVARIANT: the lane that begins is opened before the other one is closed, so that no change leaves a
 * gap; nothing but a change has both open.
 */
export class LaneSwitch {
  readonly #options: LaneSwitchOptions;
  #lane: Lane = 'track';
  #cancel: () => void = () => undefined;

  constructor(options: LaneSwitchOptions) {
    this.#options = options;
  }

  /** The lane that sounds, or begins to. */
  get lane(): Lane {
    return this.#lane;
  }

  set(lane: Lane): void {
    if (lane === this.#lane) return;
    this.#lane = lane;
    // A change back before the last one was over finds the lane it wants still open.
    this.#cancel();
    const { setFastAudible, setTrackAudible, later } = this.#options;
    const [open, close] =
      lane === 'fast' ? [setFastAudible, setTrackAudible] : [setTrackAudible, setFastAudible];
    open(true);
    this.#cancel = later(laneOverlapMs, () => close(false));
  }
}
