import { type KeyUsage, modifierBit } from '../../control/hid/key-codes.ts';

/** What of a KeyboardEvent is looked at. */
export interface KeyEventLike {
  readonly type: string;
  readonly code: string;
  readonly key: string;
  readonly repeat: boolean;
  /** Ms of the page's clock. */
  readonly timeStamp: number;
}

/** Whose keyboard events these are: each has quirks of its own. */
export type KeyboardPlatform = 'windows' | 'mac' | 'other';

export interface KeyTrackerOptions {
  readonly platform: KeyboardPlatform;
  /** The key with this `code`; undefined: the host has none. */
  readonly keyOf: (code: string) => KeyUsage | undefined;
  /** In order, and never a key up that was not down. `timeStamp` is that of the event behind it. */
  readonly onKey: (key: KeyUsage & { readonly down: boolean }, timeStamp: number) => void;
  /** Ctrl and Alt were pressed alone and let go: the person wants the keyboard back. */
  readonly onLeave: () => void;
  /** Runs `action` after a delay, unless the function returned is called before. */
  readonly later: (delayMs: number, action: () => void) => () => void;
}

/** For how long a left Ctrl may turn out to be a part of AltGr. */
const altGrMs = 50;

/** The two halves of an AltGr come with one time, or next to it. */
const sameTimeMs = 5;

const modifiers = /^(?:Control|Shift|Alt|Meta|OS)(?:Left|Right)?$/;
const isMeta = (code: string): boolean => /^(?:Meta|OS)/.test(code);

/**
 * Turns the browser's key events into presses and releases of the host's keys. Repeats are left to the host.
 *
 * What browsers do otherwise than keyboards:
 * - Windows makes AltGr a left Ctrl and a right Alt of one time. That Ctrl is not pressed on the host.
 * - macOS tells of no release while Meta is held: what is held goes up with Meta. Caps Lock comes as a press
 *   when it goes on and a release when it goes off: either is a stroke of the key.
 * - A release is missed where something else took the keyboard: a second press is a release first.
 * - An on-screen keyboard has no codes: its named keys (Enter, arrows) go by their names.
 *
 * INVARIANT: what is held here is held on the host by this viewer, and nothing else.
 */
export class KeyTracker {
  readonly #options: KeyTrackerOptions;
  readonly #held = new Map<string, KeyUsage>();
  /** A left Ctrl on Windows, held back until it is known whether it is one. */
  #waiting: { readonly timeStamp: number; readonly cancel: () => void } | undefined;
  /** Ctrl and Alt are down, and nothing else was since. */
  #isLeaving = false;

  constructor(options: KeyTrackerOptions) {
    this.#options = options;
  }

  /** How many keys are held. */
  get held(): number {
    return this.#held.size;
  }

  /** The modifiers that are held, bits as of the boot keyboard's first byte (HID 1.11 §8.3). */
  get modifierBits(): number {
    let bits = 0;
    for (const key of this.#held.values()) bits |= modifierBit(key);
    return bits;
  }

  /** Takes an event. True: it is the host's, and the browser is not to act on it. */
  take(event: KeyEventLike): boolean {
    const code = codeOf(event, this.#options.keyOf);
    const key = this.#options.keyOf(code);
    if (key === undefined) return false;
    if (event.type === 'keydown') this.#down(code, key, event);
    else this.#up(code, event.timeStamp);
    return true;
  }

  /** Sends a key that was held back; call it before anything else is sent. */
  flush(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    waiting.cancel();
    this.#waiting = undefined;
    const key = this.#options.keyOf('ControlLeft');
    if (key !== undefined) this.#press('ControlLeft', key, waiting.timeStamp);
  }

  /** Forgets all that is held without a word: whoever calls it releases it on the host. */
  clear(): void {
    this.#waiting?.cancel();
    this.#waiting = undefined;
    this.#held.clear();
    this.#isLeaving = false;
  }

  #down(code: string, key: KeyUsage, { repeat, timeStamp }: KeyEventLike): void {
    if (repeat) return;
    if (this.#options.platform === 'mac' && code === 'CapsLock') {
      this.#stroke(key, timeStamp);
      return;
    }
    const waiting = this.#waiting;
    if (code === 'AltRight' && waiting !== undefined) {
      if (timeStamp - waiting.timeStamp <= sameTimeMs) {
        waiting.cancel();
        this.#waiting = undefined;
      }
    }
    this.flush();
    if (this.#options.platform === 'windows' && code === 'ControlLeft' && !this.#held.has(code)) {
      this.#waiting = { timeStamp, cancel: this.#options.later(altGrMs, () => this.flush()) };
      return;
    }
    this.#press(code, key, timeStamp);
  }

  #up(code: string, timeStamp: number): void {
    this.flush();
    if (this.#options.platform === 'mac') {
      const key = this.#options.keyOf(code);
      if (code === 'CapsLock' && key !== undefined) {
        this.#stroke(key, timeStamp);
        return;
      }
      if (isMeta(code)) this.#releaseOthers(timeStamp);
    }
    this.#release(code, timeStamp);
    if (this.#isLeaving) {
      this.#isLeaving = false;
      this.#options.onLeave();
    }
  }

  #press(code: string, key: KeyUsage, timeStamp: number): void {
    if (this.#held.has(code)) this.#release(code, timeStamp);
    this.#held.set(code, key);
    this.#options.onKey({ ...key, down: true }, timeStamp);
    // The right Alt is AltGr on most keyboards, and types.
    const isCtrl = code === 'ControlLeft' || code === 'ControlRight';
    this.#isLeaving = (isCtrl || code === 'AltLeft') && this.#holdsOnlyCtrlAndAlt();
  }

  #holdsOnlyCtrlAndAlt(): boolean {
    const held = [...this.#held.keys()];
    return (
      held.length === 2 && held.includes('AltLeft') && held.some((code) => /^Control/.test(code))
    );
  }

  #release(code: string, timeStamp: number): void {
    const key = this.#held.get(code);
    if (key === undefined) return;
    this.#held.delete(code);
    this.#options.onKey({ ...key, down: false }, timeStamp);
  }

  #stroke(key: KeyUsage, timeStamp: number): void {
    this.flush();
    this.#options.onKey({ ...key, down: true }, timeStamp);
    this.#options.onKey({ ...key, down: false }, timeStamp);
  }

  /** All but modifiers, whose releases do come. */
  #releaseOthers(timeStamp: number): void {
    for (const code of [...this.#held.keys()]) {
      if (!modifiers.test(code)) this.#release(code, timeStamp);
    }
  }
}

function codeOf(event: KeyEventLike, keyOf: KeyTrackerOptions['keyOf']): string {
  if (event.code !== '' && event.code !== 'Unidentified') return event.code;
  return keyOf(event.key) === undefined ? '' : event.key;
}

/** The platform whose quirks a browser has, by what it says of itself. */
export function keyboardPlatform(userAgent: string): KeyboardPlatform {
  if (/Windows/.test(userAgent)) return 'windows';
  return /Mac|iPhone|iPad/.test(userAgent) ? 'mac' : 'other';
}
