/** What reports are written to: the USB gadget of a board, or a program behind a Unix socket. */

/**
 * Whether somebody is there to take reports: `none` nothing is configured or it cannot be had, `detached` no
 * host is connected, `attached` it takes reports, `suspended` it sleeps and may be woken.
 */
export type HostState = 'none' | 'detached' | 'attached' | 'suspended';

/** The reports of reports.ts, each on a pipe of its own. */
export const reportKinds = ['keyboard', 'absolute', 'relative', 'consumer', 'system'] as const;
export type ReportKind = (typeof reportKinds)[number];

/** What a {@link HidHost} tells. */
export interface HidHostEvents {
  /** It changed; `reason` says in words why it is no longer `attached`, and is empty when it is. */
  state: [state: HostState, reason: string];
  /** The host set its keyboard LEDs: bit 0 Num, 1 Caps, 2 Scroll, 3 Compose, 4 Kana. */
  leds: [mask: number];
}

/** How long a report may wait to be taken, in ms. */
export const writeDeadlineMs = 100;

/**
 * A host's side of keyboard and mouse. What implements it passes test/fixtures/hid-host-contract.ts.
 *
 * INVARIANTS: nothing it was given stays queued once `write` answered; no call blocks or rejects; a report
 * is written whole or not at all.
 */
export interface HidHost {
  readonly state: HostState;
  /** Why the state is what it is, in words; empty while it is `attached`. */
  readonly reason: string;
  /**
   * True when the host's controller took the report. False when it did not within 100 ms, when there is no
   * host, and while an earlier report of that kind is on its way: one a kind at a time, the caller awaits.
   */
  write(kind: ReportKind, report: Uint8Array): Promise<boolean>;
  /** Wakes a suspended host (USB remote wake-up); false where that is not possible. */
  wake(): Promise<boolean>;
  on<E extends keyof HidHostEvents>(
    event: E,
    listener: (...values: HidHostEvents[E]) => void,
  ): unknown;
  off<E extends keyof HidHostEvents>(
    event: E,
    listener: (...values: HidHostEvents[E]) => void,
  ): unknown;
  /** Begins; resolves without waiting for a host. */
  start(): Promise<void>;
  /** Ends; idempotent, leaves no handle behind. */
  stop(): Promise<void>;
}
