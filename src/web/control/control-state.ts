import type { HidStatus } from '../../control/hid/hid-status.ts';
import type { Macro } from '../../control/hid/macro.ts';
import type { PowerStatus } from '../../control/power/power-status.ts';
import type { SerialStatus } from '../../control/serial/serial-status.ts';
import { type CaptureState, notCaptured } from './input-capture.ts';
import { type LatencyNumbers, noLatency } from './latency-history.ts';
import type { LinkVia } from './link-carrier.ts';

/** Where on the page something of the host's control is asked for. */
export type ControlPlace = 'host' | 'power' | 'serial';

/** What the page shows of the host's control. Null: the device has none of it; undefined: it did not say yet. */
export interface ControlState {
  readonly hid: HidStatus | null | undefined;
  readonly serial: SerialStatus | null | undefined;
  readonly power: PowerStatus | null | undefined;
  readonly macros: readonly Macro[];
  /** What keys and pointer go by; undefined while they go nowhere. */
  readonly via: LinkVia | undefined;
  readonly capture: CaptureState;
  readonly pointerMode: 'absolute' | 'relative';
  readonly latency: LatencyNumbers;
  /** `performance.now()` of the last look at the latencies. */
  readonly nowMs: number;
  /** What the device last had to say of keyboard and mouse; empty when nothing is to be said. */
  readonly notice: string;
  /** Why the last thing that was asked was not done, by whom it concerns; empty when it was. */
  readonly errors: Readonly<Record<ControlPlace, string>>;
}

export const noControl: ControlState = {
  hid: undefined,
  serial: undefined,
  power: undefined,
  macros: [],
  via: undefined,
  capture: notCaptured,
  pointerMode: 'absolute',
  latency: noLatency,
  nowMs: 0,
  notice: '',
  errors: { host: '', power: '', serial: '' },
};
