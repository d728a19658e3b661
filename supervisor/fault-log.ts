import type { Log } from '../src/log/log.ts';

export interface FaultLogOptions {
  readonly log: Log;
  /** A clock in ms. */
  readonly now: () => number;
}

interface Entry {
  loggedAtMs: number;
  repeated: number;
}

/** Warnings that a broken peer could cause thousands of: each text at most once a second, the rest counted. */
export class FaultLog {
  readonly #log: Log;
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();

  constructor({ log, now }: FaultLogOptions) {
    this.#log = log;
    this.#now = now;
  }

  /** `text` is static, so that the table stays small; what varies goes into `fields`. */
  report(text: string, fields: Readonly<Record<string, unknown>>): void {
    const nowMs = this.#now();
    const entry = this.#entries.get(text);
    if (entry !== undefined && nowMs - entry.loggedAtMs < 1_000) {
      entry.repeated += 1;
      return;
    }
    const repeated = entry?.repeated ?? 0;
    this.#log.warn(repeated > 0 ? { ...fields, repeated } : fields, text);
    this.#entries.set(text, { loggedAtMs: nowMs, repeated: 0 });
  }
}
