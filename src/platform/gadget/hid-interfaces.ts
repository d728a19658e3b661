import type { ReportKind } from '../../control/hid/hid-host.ts';
import type { GadgetConfig } from './gadget-config.ts';
import { reportBytes } from './report-descriptors.ts';

/**
 * Which reports share a USB interface. The kernel makes four HID functions at most (HIDG_MINORS of f_hid),
 * and each takes an endpoint: media and power keys always share one, with report ids, and where endpoints
 * are scarce the pointers share it too. A keyboard of the boot protocol can have no report ids.
 */
export interface HidInterface {
  /** Of the configfs function: `hid.NAME`. */
  readonly name: string;
  /** One alone has no report id, of several each has its index plus 1. */
  readonly kinds: readonly ReportKind[];
  /** bInterfaceSubClass and bInterfaceProtocol (HID 1.11 §4.2, 4.3): 1, 1 is a boot keyboard. */
  readonly subclass: 0 | 1;
  readonly protocol: 0 | 1 | 2;
}

type HidChoice = Pick<GadgetConfig, 'keyboard' | 'absolute' | 'relative' | 'mediaKeys'>;

/** The interfaces of what is switched on; `combined`: as few as can be. */
export function hidInterfaces(config: HidChoice, combined: boolean): readonly HidInterface[] {
  const pointers = [
    config.absolute ? named('absolute', ['absolute']) : undefined,
    config.relative ? named('relative', ['relative']) : undefined,
    config.mediaKeys ? named('keys', ['consumer', 'system']) : undefined,
  ].filter((one) => one !== undefined);
  const kinds = pointers.flatMap((one) => one.kinds);
  const others = combined && pointers.length > 1 ? [named('combined', kinds)] : pointers;
  const keyboard: HidInterface = {
    name: 'keyboard',
    kinds: ['keyboard'],
    subclass: 1,
    protocol: 1,
  };
  return config.keyboard ? [keyboard, ...others] : others;
}

function named(name: string, kinds: readonly ReportKind[]): HidInterface {
  return { name, kinds, subclass: 0, protocol: 0 };
}

/** What is written for a report: with its id where the interface has ids. */
export function framedReport(
  { kinds }: HidInterface,
  kind: ReportKind,
  report: Uint8Array,
): Uint8Array {
  if (kinds.length === 1) return report;
  const framed = new Uint8Array(report.length + 1);
  framed[0] = kinds.indexOf(kind) + 1;
  framed.set(report, 1);
  return framed;
}

/** The longest report of an interface in bytes, with its id. */
export function longestReport({ kinds }: HidInterface): number {
  const longest = Math.max(...kinds.map((kind) => reportBytes[kind]));
  return kinds.length === 1 ? longest : longest + 1;
}
