import type { ReportKind } from '../../control/hid/hid-host.ts';

/**
 * HID report descriptors (Device Class Definition for HID 1.11 §6.2.2, HID Usage Tables 1.5): what the host
 * is told about the reports of src/control/hid/reports.ts. Short items with their data, one a line.
 */

/** Bytes of one report, without a report id. */
export const reportBytes: Readonly<Record<ReportKind, number>> = {
  keyboard: 8,
  absolute: 5,
  relative: 7,
  consumer: 2,
  system: 1,
};

/** Bytes of the report in which the host sets the keyboard's LEDs. */
export const ledReportBytes = 1;

/** HID 1.11 appendix B.1, with the LED page whole and usages to 0xFF, so that no key is out of reach. */
const keyboard = [
  [0x05, 0x01], // Usage Page (Generic Desktop)
  [0x09, 0x06], // Usage (Keyboard)
  [0xa1, 0x01], // Collection (Application)
  [0x05, 0x07], //   Usage Page (Keyboard)
  [0x19, 0xe0], //   Usage Minimum (Left Control)
  [0x29, 0xe7], //   Usage Maximum (Right GUI)
  [0x15, 0x00], //   Logical Minimum (0)
  [0x25, 0x01], //   Logical Maximum (1)
  [0x75, 0x01], //   Report Size (1)
  [0x95, 0x08], //   Report Count (8)
  [0x81, 0x02], //   Input (Data, Variable, Absolute): modifiers
  [0x95, 0x01], //   Report Count (1)
  [0x75, 0x08], //   Report Size (8)
  [0x81, 0x01], //   Input (Constant): reserved
  [0x95, 0x05], //   Report Count (5)
  [0x75, 0x01], //   Report Size (1)
  [0x05, 0x08], //   Usage Page (LEDs)
  [0x19, 0x01], //   Usage Minimum (Num Lock)
  [0x29, 0x05], //   Usage Maximum (Kana)
  [0x91, 0x02], //   Output (Data, Variable, Absolute): LEDs
  [0x95, 0x01], //   Report Count (1)
  [0x75, 0x03], //   Report Size (3)
  [0x91, 0x01], //   Output (Constant)
  [0x95, 0x06], //   Report Count (6)
  [0x75, 0x08], //   Report Size (8)
  [0x15, 0x00], //   Logical Minimum (0)
  [0x26, 0xff, 0x00], // Logical Maximum (255)
  [0x05, 0x07], //   Usage Page (Keyboard)
  [0x19, 0x00], //   Usage Minimum (0)
  [0x2a, 0xff, 0x00], // Usage Maximum (255)
  [0x81, 0x00], //   Input (Data, Array): keys
  [0xc0], // End Collection
];

/** Five buttons in one byte, as both pointers have them. */
const buttons = [
  [0x05, 0x09], // Usage Page (Button)
  [0x19, 0x01], // Usage Minimum (1)
  [0x29, 0x05], // Usage Maximum (5)
  [0x15, 0x00], // Logical Minimum (0)
  [0x25, 0x01], // Logical Maximum (1)
  [0x75, 0x01], // Report Size (1)
  [0x95, 0x05], // Report Count (5)
  [0x81, 0x02], // Input (Data, Variable, Absolute)
  [0x75, 0x03], // Report Size (3)
  [0x95, 0x01], // Report Count (1)
  [0x81, 0x01], // Input (Constant)
];

function absolute(id: Items): Items {
  return [
    [0x05, 0x01], // Usage Page (Generic Desktop)
    [0x09, 0x02], // Usage (Mouse)
    [0xa1, 0x01], // Collection (Application)
    ...id,
    [0x09, 0x01], //   Usage (Pointer)
    [0xa1, 0x00], //   Collection (Physical)
    ...buttons,
    [0x05, 0x01], //     Usage Page (Generic Desktop)
    [0x09, 0x30], //     Usage (X)
    [0x09, 0x31], //     Usage (Y)
    [0x15, 0x00], //     Logical Minimum (0)
    [0x26, 0xff, 0x7f], // Logical Maximum (32767)
    [0x35, 0x00], //     Physical Minimum (0)
    [0x46, 0xff, 0x7f], // Physical Maximum (32767)
    [0x75, 0x10], //     Report Size (16)
    [0x95, 0x02], //     Report Count (2)
    [0x81, 0x02], //     Input (Data, Variable, Absolute)
    // Physical extents are global: they must not reach what follows in the same descriptor.
    [0x35, 0x00], //     Physical Minimum (0)
    [0x45, 0x00], //     Physical Maximum (0): as the logical ones
    [0xc0], //   End Collection
    [0xc0], // End Collection
  ];
}

function relative(id: Items): Items {
  return [
    [0x05, 0x01], // Usage Page (Generic Desktop)
    [0x09, 0x02], // Usage (Mouse)
    [0xa1, 0x01], // Collection (Application)
    ...id,
    [0x09, 0x01], //   Usage (Pointer)
    [0xa1, 0x00], //   Collection (Physical)
    ...buttons,
    [0x05, 0x01], //     Usage Page (Generic Desktop)
    [0x09, 0x30], //     Usage (X)
    [0x09, 0x31], //     Usage (Y)
    [0x16, 0x01, 0x80], // Logical Minimum (−32767)
    [0x26, 0xff, 0x7f], // Logical Maximum (32767)
    [0x75, 0x10], //     Report Size (16)
    [0x95, 0x02], //     Report Count (2)
    [0x81, 0x06], //     Input (Data, Variable, Relative)
    [0x09, 0x38], //     Usage (Wheel)
    [0x15, 0x81], //     Logical Minimum (−127)
    [0x25, 0x7f], //     Logical Maximum (127)
    [0x75, 0x08], //     Report Size (8)
    [0x95, 0x01], //     Report Count (1)
    [0x81, 0x06], //     Input (Data, Variable, Relative)
    [0x05, 0x0c], //     Usage Page (Consumer)
    [0x0a, 0x38, 0x02], // Usage (AC Pan)
    [0x81, 0x06], //     Input (Data, Variable, Relative)
    [0xc0], //   End Collection
    [0xc0], // End Collection
  ];
}

function consumer(id: Items): Items {
  return [
    [0x05, 0x0c], // Usage Page (Consumer)
    [0x09, 0x01], // Usage (Consumer Control)
    [0xa1, 0x01], // Collection (Application)
    ...id,
    [0x15, 0x00], //   Logical Minimum (0)
    [0x26, 0xff, 0x03], // Logical Maximum (1023)
    [0x19, 0x00], //   Usage Minimum (0)
    [0x2a, 0xff, 0x03], // Usage Maximum (1023)
    [0x75, 0x10], //   Report Size (16)
    [0x95, 0x01], //   Report Count (1)
    [0x81, 0x00], //   Input (Data, Array)
    [0xc0], // End Collection
  ];
}

function system(id: Items): Items {
  return [
    [0x05, 0x01], // Usage Page (Generic Desktop)
    [0x09, 0x80], // Usage (System Control)
    [0xa1, 0x01], // Collection (Application)
    ...id,
    [0x19, 0x81], //   Usage Minimum (System Power Down)
    [0x29, 0x83], //   Usage Maximum (System Wake Up)
    [0x15, 0x00], //   Logical Minimum (0)
    [0x25, 0x01], //   Logical Maximum (1)
    [0x75, 0x01], //   Report Size (1)
    [0x95, 0x03], //   Report Count (3)
    [0x81, 0x02], //   Input (Data, Variable, Absolute)
    [0x75, 0x05], //   Report Size (5)
    [0x95, 0x01], //   Report Count (1)
    [0x81, 0x01], //   Input (Constant)
    [0xc0], // End Collection
  ];
}

type Items = readonly (readonly number[])[];

const collections = { keyboard: () => keyboard, absolute, relative, consumer, system };

/**
 * The descriptor of one HID interface. A single kind has no report id; of several each has one, from 1 in
 * the order given. The keyboard is only ever alone: the boot protocol knows no report ids (HID 1.11 §8.3).
 */
export function reportDescriptor(kinds: readonly ReportKind[]): Buffer {
  const items = kinds.flatMap((kind, index) =>
    collections[kind](kinds.length === 1 ? [] : [[0x85, index + 1]]),
  );
  return Buffer.from(items.flat());
}
