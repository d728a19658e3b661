import { EarshotError } from '../../errors/earshot-error.ts';
import type { HidHost } from './hid-host.ts';
import type { HidTaskStatus } from './hid-status.ts';
import type { HidTimers } from './hid-timers.ts';
import type { InputLanes } from './input-lanes.ts';
import type { KeyUsage } from './key-codes.ts';
import type { KeyStroke } from './layouts/layout.ts';

/** Keys of a combination stay down so long, in ms: firmware looks at its keyboard seldom. */
export const pressMs = 30;

export interface KeyTaskOptions {
  readonly host: HidHost;
  readonly lanes: InputLanes;
  readonly timers: HidTimers;
  /** Whose keys these are; no other owner's name. */
  readonly owner: string;
  readonly status: Omit<HidTaskStatus, 'done'>;
  /** Progress was made. */
  readonly changed: () => void;
}

/** Modifiers a stroke may need, by their bit. */
const strokeModifiers = [
  { bit: 0x02, usage: 0xe1 },
  { bit: 0x40, usage: 0xe6 },
] as const;

/**
 * What presses keys by itself: waits for each report to be taken, and can be stopped between any two.
 *
 * INVARIANT: when `end` returns it holds nothing, whatever happened before.
 */
export class KeyTask {
  readonly #options: KeyTaskOptions;
  readonly #stop = new AbortController();
  #done = 0;
  #modifiers = 0;
  #nextMs = 0;

  constructor(options: KeyTaskOptions) {
    this.#options = options;
  }

  get status(): HidTaskStatus {
    return { ...this.#options.status, done: this.#done };
  }

  /** Ends it where it is and releases its keys; what runs it throws HID_STOPPED. */
  stop(): void {
    this.#stop.abort();
    this.end();
  }

  /** Releases all its keys now. */
  end(): void {
    this.#modifiers = 0;
    this.#options.lanes.drop(this.#options.owner);
  }

  /** One more of `total` is done. */
  advance(): void {
    this.#done += 1;
    this.#options.changed();
  }

  /** Waits; throws HID_STOPPED when it is stopped. */
  async wait(ms: number): Promise<void> {
    this.#assertRunning();
    const { signal } = this.#stop;
    await new Promise<void>((resolve) => {
      const over = () => {
        signal.removeEventListener('abort', over);
        cancel();
        resolve();
      };
      const cancel = this.#options.timers.after(ms, over);
      signal.addEventListener('abort', over);
    });
    this.#assertRunning();
  }

  /** Waits for the turn of the next of events that are `intervalMs` apart, and never two at once after a delay. */
  async pace(intervalMs: number): Promise<void> {
    const nowMs = this.#options.timers.nowMs();
    const waitMs = this.#nextMs - nowMs;
    this.#nextMs = Math.max(this.#nextMs, nowMs) + intervalMs;
    if (waitMs > 0) await this.wait(waitMs);
    else this.#assertRunning();
  }

  /** Presses or lets go a key. Throws HID_STOPPED, HID_NO_HOST or HID_NOT_TAKEN. */
  async key(key: KeyUsage, down: boolean): Promise<void> {
    this.#assertRunning();
    const { lanes, host, owner } = this.#options;
    const taken = await new Promise<boolean>((done) => lanes.key({ owner, key, down }, done));
    this.#assertRunning();
    if (!taken) throw notTakenError(host);
  }

  /** The keys go down in order, stay so for `ms`, and up in the opposite order. */
  async hold(keys: readonly KeyUsage[], ms: number): Promise<void> {
    for (const key of keys) await this.key(key, true);
    await this.wait(ms);
    for (const key of keys.toReversed()) await this.key(key, false);
  }

  /** Presses a key with its modifiers; those stay down for the next stroke, see {@link settle}. */
  async stroke({ usage, modifiers }: KeyStroke): Promise<void> {
    await this.#setModifiers(modifiers);
    await this.key({ page: 'keyboard', usage }, true);
    await this.key({ page: 'keyboard', usage }, false);
  }

  /** Lets go the modifiers of the strokes so far. */
  settle(): Promise<void> {
    return this.#setModifiers(0);
  }

  async #setModifiers(wanted: number): Promise<void> {
    for (const { bit, usage } of strokeModifiers) {
      if (((this.#modifiers ^ wanted) & bit) === 0) continue;
      await this.key({ page: 'keyboard', usage }, (wanted & bit) !== 0);
    }
    this.#modifiers = wanted;
  }

  #assertRunning(): void {
    if (this.#stop.signal.aborted) throw stoppedError(this.status);
  }
}

/** Why keys cannot be pressed now. */
export function notTakenError(host: HidHost): EarshotError {
  if (host.state === 'attached') {
    return new EarshotError(
      'HID_NOT_TAKEN',
      'The host is connected but did not take the key within 100 ms; all keys are released.',
      { details: { host: host.state } },
    );
  }
  const why = host.reason === '' ? '' : `: ${host.reason}`;
  return new EarshotError('HID_NO_HOST', `No host takes keys now (${host.state})${why}.`, {
    details: { host: host.state, reason: host.reason },
  });
}

function stoppedError({ kind, name, done, total }: HidTaskStatus): EarshotError {
  const what = kind === 'macro' ? `The macro "${name}"` : 'The text';
  const unit = kind === 'macro' ? 'steps' : 'characters';
  return new EarshotError(
    'HID_STOPPED',
    `${what} was stopped after ${done} of ${total} ${unit}; its keys are released.`,
    { details: { kind, name, done, total } },
  );
}
