import { type HidWay, hidWays } from './hid-channels.ts';

/** Why a message of keyboard or pointer was dropped. */
export const hidDropReasons = [
  /** More than a person's hands make; of keys, everything held is released as well. */
  'rate',
  /** Longer than any message. */
  'size',
  /** Of the pointer, while the channel of the keys is not open. */
  'no-keys',
] as const;
export type HidDropReason = (typeof hidDropReasons)[number];

/** What the keyboards and pointers of one session, or of all, have counted. */
export interface HidCounts {
  /** Messages of viewers that were handed on. */
  readonly received: Record<HidWay, number>;
  readonly dropped: Record<HidWay, Record<HidDropReason, number>>;
  /** Messages of the device, and those that a viewer's way did not take. */
  sent: number;
  unsent: number;
  /** Channels closed since the viewer did not take what it was sent. */
  overflows: number;
}

export function noHidCounts(): HidCounts {
  const none = (): Record<HidDropReason, number> => ({ rate: 0, size: 0, 'no-keys': 0 });
  return {
    received: { keys: 0, pointer: 0, socket: 0 },
    dropped: { keys: none(), pointer: none(), socket: none() },
    sent: 0,
    unsent: 0,
    overflows: 0,
  };
}

/** Adds `counts` to `totals`. */
export function addHidCounts(totals: HidCounts, counts: HidCounts): void {
  for (const way of hidWays) {
    totals.received[way] += counts.received[way];
    for (const reason of hidDropReasons) {
      totals.dropped[way][reason] += counts.dropped[way][reason];
    }
  }
  totals.sent += counts.sent;
  totals.unsent += counts.unsent;
  totals.overflows += counts.overflows;
}
