/** What of a KeyboardEvent is looked at. */
export interface ChordEvent {
  readonly type: string;
  readonly key: string;
  readonly repeat: boolean;
}

const chord: readonly string[] = ['Control', 'Alt'];

/** Watches for Ctrl and Alt, pressed alone and let go. */
export class LeaveChord {
  readonly #onLeave: () => void;
  readonly #held = new Set<string>();
  /** Another key was pressed while either was held. */
  #isSpoilt = false;

  constructor(onLeave: () => void) {
    this.#onLeave = onLeave;
  }

  take({ type, key, repeat }: ChordEvent): void {
    if (repeat) return;
    if (!chord.includes(key)) {
      if (type === 'keydown') this.#isSpoilt = this.#held.size > 0;
      return;
    }
    if (type === 'keydown') {
      if (this.#held.size === 0) this.#isSpoilt = false;
      this.#held.add(key);
      return;
    }
    const isWhole = this.#held.size === chord.length && !this.#isSpoilt;
    this.#held.delete(key);
    if (!isWhole) return;
    this.#held.clear();
    this.#onLeave();
  }
}
