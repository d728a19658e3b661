import { usageOfCode } from '../../control/hid/key-codes.ts';
import { aliveIntervalMs } from '../../control/hid/limits.ts';
import { type KeyboardPlatform, type KeyEventLike, KeyTracker } from './key-tracker.ts';
import type { Outgoing } from './link-carrier.ts';
import type { HostPlace } from './picture-place.ts';
import { PointerTracker } from './pointer-tracker.ts';

/** A message without its time. */
type Timeless = Outgoing extends infer M
  ? M extends unknown
    ? Omit<M, 'timestampMs'>
    : never
  : never;

export interface HostInputOptions {
  /** False: it did not go. */
  readonly send: (message: Outgoing) => boolean;
  readonly platform: KeyboardPlatform;
  /** `performance.timeOrigin`: what an event's time is counted from. */
  readonly timeOriginMs: number;
  /** `performance.now()`. */
  readonly nowMs: () => number;
  /** Runs `action` after a delay, unless the function returned is called before. */
  readonly later: (delayMs: number, action: () => void) => () => void;
  readonly onLeave: () => void;
}

/** So many keys and buttons are told of in `alive`. */
const maxHeld = 255;

/**
 * What this viewer does to the host, as messages. While anything is held the device hears of it every
 * 25 ms, or it lets go of it by itself.
 */
export class HostInput {
  readonly pointer: PointerTracker;
  readonly #options: HostInputOptions;
  readonly #keys: KeyTracker;
  #cancelAlive: (() => void) | undefined;

  constructor(options: HostInputOptions) {
    this.#options = options;
    this.#keys = new KeyTracker({
      platform: options.platform,
      keyOf: usageOfCode,
      later: options.later,
      onLeave: options.onLeave,
      onKey: (key, timeStamp) => this.#sendHeld({ type: 'key', ...key }, timeStamp),
    });
    this.pointer = new PointerTracker({
      moveTo: ({ x, y }, timeStamp) => this.#send({ type: 'move-absolute', x, y }, timeStamp),
      moveBy: (by, timeStamp) => this.#send({ type: 'move-relative', ...by }, timeStamp),
      buttons: (mask, place, timeStamp) => {
        this.#keys.flush();
        const { mode } = this.pointer;
        const at: HostPlace = mode === 'absolute' && place !== undefined ? place : { x: 0, y: 0 };
        this.#sendHeld({ type: 'button', mode, mask, ...at }, timeStamp);
      },
      wheel: (steps, timeStamp) => {
        this.#keys.flush();
        this.#send({ type: 'wheel', ...steps }, timeStamp);
      },
    });
  }

  /** Keys and buttons that are held. */
  get held(): number {
    return this.#keys.held + bitCount(this.pointer.buttons);
  }

  /** Takes a key event. True: it is the host's, and the browser is not to act on it. */
  key(event: KeyEventLike): boolean {
    return this.#keys.take(event);
  }

  /** Lets go of all that is held, here and on the host. */
  release(): void {
    this.forget();
    this.#send({ type: 'release' }, this.#options.nowMs());
  }

  /** Lets go of all that is held here; the device does so by itself when its way is gone. */
  forget(): void {
    this.#keys.clear();
    this.pointer.clear();
    this.#cancelAlive?.();
    this.#cancelAlive = undefined;
  }

  #sendHeld(message: Timeless, timeStamp: number): void {
    this.#send(message, timeStamp);
    if (this.held > 0) this.#keepAlive();
    else {
      this.#cancelAlive?.();
      this.#cancelAlive = undefined;
    }
  }

  #keepAlive(): void {
    if (this.#cancelAlive !== undefined) return;
    this.#cancelAlive = this.#options.later(aliveIntervalMs, () => {
      this.#cancelAlive = undefined;
      if (this.held === 0) return;
      const held = Math.min(maxHeld, this.held);
      const { modifierBits: modifiers } = this.#keys;
      this.#send({ type: 'alive', modifiers, held }, this.#options.nowMs());
      this.#keepAlive();
    });
  }

  #send(message: Timeless, timeStamp: number): boolean {
    const timestampMs = this.#options.timeOriginMs + timeStamp;
    return this.#options.send({ ...message, timestampMs });
  }
}

function bitCount(mask: number): number {
  let count = 0;
  for (let bits = mask; bits !== 0; bits &= bits - 1) count += 1;
  return count;
}
