import { ClockTie } from '../fast-lane/clock-tie.ts';

/** When the clocks are compared after the way opened, in ms: soon enough for the first key, then now and then. */
const firstMs = [0, 50, 100, 200, 400] as const;
const everyMs = 1_000;

export interface LinkClockOptions {
  /** Tells the device by how much its clock is ahead of this one; NaN: not known. It answers with its time. */
  readonly send: (offsetMs: number) => void;
  /** Now on the clock of the messages' timestamps: ms of the Unix epoch that never jump. */
  readonly nowMs: () => number;
  /** Runs `action` after a delay, unless the function returned is called before. */
  readonly later: (delayMs: number, action: () => void) => () => void;
}

/** Keeps this page's clock and the device's tied, so that the device knows how old an event is. */
export class LinkClock {
  readonly #options: LinkClockOptions;
  readonly #tie = new ClockTie();
  #cancel: () => void = () => undefined;
  #asked = 0;

  constructor(options: LinkClockOptions) {
    this.#options = options;
  }

  /** Device clock minus this one in ms; undefined before any answer. */
  get offsetMs(): number | undefined {
    return this.#tie.offsetMs;
  }

  /** Of the last answer, in ms; undefined before any. */
  get roundTripMs(): number | undefined {
    return this.#tie.roundTripMs;
  }

  /** A way to the device is open: perhaps another device's, or the same one started anew. */
  start(): void {
    this.stop();
    this.#tie.reset();
    this.#asked = 0;
    this.#ask();
  }

  stop(): void {
    this.#cancel();
  }

  /** The device answered what was sent at `sentMs`; its clock was `deviceMs` then. */
  answered({ sentMs, deviceMs }: { readonly sentMs: number; readonly deviceMs: number }): void {
    const isFirst = this.#tie.offsetMs === undefined;
    this.#tie.note({
      sentMs,
      deviceReceivedMs: deviceMs,
      deviceSentMs: deviceMs,
      receivedMs: this.#options.nowMs(),
    });
    // The next key may come at once.
    if (isFirst && this.#tie.offsetMs !== undefined) this.#options.send(this.#tie.offsetMs);
  }

  #ask(): void {
    this.#options.send(this.#tie.offsetMs ?? Number.NaN);
    const now = firstMs[this.#asked] ?? 0;
    this.#asked += 1;
    const next = firstMs[this.#asked];
    this.#cancel = this.#options.later(next === undefined ? everyMs : next - now, () =>
      this.#ask(),
    );
  }
}
