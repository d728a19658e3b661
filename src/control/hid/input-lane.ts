import type { ReportKind } from './hid-host.ts';
import type { PointerMode } from './hid-messages.ts';
import type { KeyUsage } from './key-codes.ts';

/** Tells what became of an event: whether the host took its report. */
export type Done = (taken: boolean) => void;

/** Something to do to the host, of whom, and whom to tell. */
export type InputOp = { readonly owner: string; readonly done: Done[] } & (
  | { readonly kind: 'key'; readonly key: KeyUsage; readonly down: boolean }
  /** Everything the owner holds goes up. */
  | { readonly kind: 'release' }
  | {
      readonly kind: 'buttons';
      readonly mode: PointerMode;
      readonly mask: number;
      readonly x: number;
      readonly y: number;
    }
  /** Notches. */
  | { readonly kind: 'wheel'; wheel: number; pan: number }
  | { readonly kind: 'move-absolute'; x: number; y: number }
  | { readonly kind: 'move-relative'; dx: number; dy: number }
);

export interface Placed {
  /** Number of its arrival, over both lanes. */
  readonly order: number;
  readonly op: InputOp;
}

/** Motion that a host is too slow for is kept up to so many steps; a hand never gets there. */
const maxPendingSteps = 1_048_576;
/** Most events one coalesced op answers for. */
const maxMerged = 256;

/**
 * Ops in the order of their arrival. Keys and buttons stay one by one; motion is coalesced between two
 * buttons: the newest position, the sum of the steps, so the lane grows with keys and buttons alone.
 */
export class InputLane {
  #ops: Placed[] = [];
  #current: Placed | undefined;

  get idle(): boolean {
    return this.#current === undefined;
  }

  get next(): Placed | undefined {
    return this.#ops[0];
  }

  /** Begins the next op; undefined when there is none, or one is under way. */
  begin(): InputOp | undefined {
    if (this.#current !== undefined) return undefined;
    this.#current = this.#ops.shift();
    return this.#current?.op;
  }

  end(): void {
    this.#current = undefined;
  }

  /** Whether a key, button or wheel op that came before `order` is not over. */
  waitsBefore(order: number): boolean {
    if (this.#current !== undefined && isOrdered(this.#current, order)) return true;
    return this.#ops.some((placed) => isOrdered(placed, order));
  }

  /** Puts it at the end, or into what waits there already. */
  add(order: number, op: InputOp): void {
    if (!this.#merge(op)) this.#ops.push({ order, op });
  }

  /** Whether the op of that number waits still. */
  has(order: number): boolean {
    return this.#ops.some((placed) => placed.order === order);
  }

  /** Takes out what waits and fits; the op under way stays. */
  remove(fits: (placed: Placed) => boolean): Placed[] {
    const removed = this.#ops.filter(fits);
    if (removed.length > 0) this.#ops = this.#ops.filter((placed) => !removed.includes(placed));
    return removed;
  }

  #merge(op: InputOp): boolean {
    for (let index = this.#ops.length - 1; index >= 0; index -= 1) {
      const waiting = this.#ops[index]?.op;
      if (waiting === undefined) return false;
      if (waiting.kind === op.kind && mergeInto(waiting, op)) return true;
      // Only motion is overtaken, and only by motion: a wheel turns where the pointer is.
      if (!isMotion(waiting) || !isMotion(op)) return false;
    }
    return false;
  }
}

/** The report that tells the host of it; a release is known by the keyboard's. */
export function reportKindOf(op: InputOp): ReportKind {
  switch (op.kind) {
    case 'key':
      return op.key.page;
    case 'release':
      return 'keyboard';
    case 'buttons':
      return op.mode;
    case 'move-absolute':
      return 'absolute';
    case 'wheel':
    case 'move-relative':
      return 'relative';
    default:
      return op satisfies never;
  }
}

/** Whether it is motion alone. */
export function isMotion({ kind }: InputOp): boolean {
  return kind === 'move-absolute' || kind === 'move-relative';
}

function isOrdered({ order, op }: Placed, before: number): boolean {
  return order < before && !isMotion(op);
}

function mergeInto(waiting: InputOp, op: InputOp): boolean {
  if (waiting.kind === 'move-absolute' && op.kind === 'move-absolute') {
    waiting.x = op.x;
    waiting.y = op.y;
    waiting.done.splice(0, waiting.done.length, ...op.done);
    return true;
  }
  if (waiting.kind === 'move-relative' && op.kind === 'move-relative') {
    waiting.dx = steps(waiting.dx + op.dx);
    waiting.dy = steps(waiting.dy + op.dy);
    waiting.done.splice(0, waiting.done.length, ...op.done);
    return true;
  }
  if (waiting.kind === 'wheel' && op.kind === 'wheel' && waiting.done.length < maxMerged) {
    waiting.wheel += op.wheel;
    waiting.pan += op.pan;
    waiting.done.push(...op.done);
    return true;
  }
  return false;
}

function steps(sum: number): number {
  return Math.min(Math.max(sum, -maxPendingSteps), maxPendingSteps);
}
