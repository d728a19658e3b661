import { EarshotError } from '../../errors/earshot-error.ts';
import type { SegmentTimers } from './segment-timers.ts';

/** How many may wait for room at once; a caller who waits for each of its own is one. */
const maxWaiting = 8;

interface Waiting<T> {
  readonly item: T;
  readonly accepted: () => void;
  readonly refused: (error: EarshotError) => void;
  readonly cancel: () => void;
}

/** The queue before a stage: one item, and a bounded line of those who wait to put the next, in their order. */
export class StageSlot<T> {
  readonly #timers: SegmentTimers;
  readonly #name: string;
  #item: { readonly value: T } | undefined;
  #waiting: Waiting<T>[] = [];
  #taker: ((item: T | undefined) => void) | undefined;
  #closed = false;

  /** `name` is what errors call the stage. */
  constructor(name: string, timers: SegmentTimers) {
    this.#name = name;
    this.#timers = timers;
  }

  /** Items in it, and waiting for it. */
  get length(): number {
    return (this.#item === undefined ? 0 : 1) + this.#waiting.length;
  }

  /**
   * Resolves when the item is in the queue. Rejects with MEDIA_SEGMENT_TIMEOUT after `deadlineMs` (undefined:
   * never, for a stage that always takes), MEDIA_SEGMENTS_BUSY when too many wait, MEDIA_SEGMENTS_CLOSED.
   */
  put(item: T, deadlineMs?: number): Promise<void> {
    if (this.#closed) return Promise.reject(closedError());
    if (this.#hand(item)) return Promise.resolve();
    if (this.#waiting.length >= maxWaiting) {
      return Promise.reject(
        new EarshotError(
          'MEDIA_SEGMENTS_BUSY',
          `${this.#waiting.length} segments wait to be ${this.#name}; allowed are ${maxWaiting}.`,
          { details: { waiting: this.#waiting.length, allowed: maxWaiting } },
        ),
      );
    }
    return new Promise((resolve, reject) => {
      const expire = (): void => {
        this.#waiting = this.#waiting.filter((one) => one !== waiting);
        reject(
          new EarshotError(
            'MEDIA_SEGMENT_TIMEOUT',
            `The segment before it was not ${this.#name} within ${deadlineMs ?? 0} ms.`,
            { details: { stage: this.#name, deadlineMs } },
          ),
        );
      };
      const cancel = deadlineMs === undefined ? () => {} : this.#timers.after(deadlineMs, expire);
      const waiting: Waiting<T> = { item, accepted: resolve, refused: reject, cancel };
      this.#waiting.push(waiting);
    });
  }

  /** The next item, when there is one; undefined once it is closed. One taker at a time. */
  take(): Promise<T | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    const held = this.#item;
    if (held === undefined) {
      return new Promise((resolve) => {
        this.#taker = resolve;
      });
    }
    this.#item = undefined;
    const next = this.#waiting.shift();
    if (next !== undefined) {
      next.cancel();
      this.#item = { value: next.item };
      next.accepted();
    }
    return Promise.resolve(held.value);
  }

  /** Drops what is in it, refuses who waits, and ends the taker; returns what was dropped. Idempotent. */
  close(): T[] {
    this.#closed = true;
    const dropped = this.#item === undefined ? [] : [this.#item.value];
    this.#item = undefined;
    for (const { cancel, refused } of this.#waiting) {
      cancel();
      refused(closedError());
    }
    this.#waiting = [];
    this.#taker?.(undefined);
    this.#taker = undefined;
    return dropped;
  }

  /** Into the taker's hands or the free place; false when there is neither. */
  #hand(item: T): boolean {
    const taker = this.#taker;
    if (taker !== undefined) {
      this.#taker = undefined;
      taker(item);
      return true;
    }
    if (this.#item !== undefined) return false;
    this.#item = { value: item };
    return true;
  }
}

export function closedError(): EarshotError {
  return new EarshotError(
    'MEDIA_SEGMENTS_CLOSED',
    'The device stops sending segments; this one was not sent.',
  );
}
