/**
 * What Linux makes of a HID usage (drivers/hid/hid-input.c: `hid_keyboard` and the mappings of the consumer
 * page; names and numbers of input-event-codes.h). An X server's keycode is 8 more, as far as that goes: 255.
 */

/** Numbers that X adds to those of evdev (xkeyboard-config, keycodes/evdev). */
const xKeycodeOffset = 8;
const lastEvdev = 255 - xKeycodeOffset;

const row = (first: number, ...codes: readonly number[]): [number, number][] =>
  codes.map((code, index) => [first + index, code]);
const from = (first: number, code: number, count: number) =>
  row(first, ...Array.from({ length: count }, (_, index) => code + index));

const keyboard = new Map([
  // A to Z.
  ...row(0x04, 30, 48, 46, 32, 18, 33, 34, 35, 23, 36, 37, 38, 50),
  ...row(0x11, 49, 24, 25, 16, 19, 31, 20, 22, 47, 17, 45, 21, 44),
  // 1 to 0, Enter to Caps Lock.
  ...from(0x1e, 2, 10),
  ...row(0x28, 28, 1, 14, 15, 57, 12, 13, 26, 27, 43, 43, 39, 40, 41, 51, 52, 53, 58),
  // F1 to F12, Print Screen to Num Lock.
  ...from(0x3a, 59, 10),
  ...row(0x44, 87, 88, 99, 70, 119, 110, 102, 104, 111, 107, 109, 106, 105, 108, 103, 69),
  // The keypad, then the 102nd key, Menu, Power and the keypad's =.
  ...row(0x54, 98, 55, 74, 78, 96, 79, 80, 81, 75, 76, 77, 71, 72, 73, 82, 83),
  ...row(0x64, 86, 127, 116, 117),
  ...from(0x68, 183, 12),
  // Open to Find, and volume.
  ...row(0x74, 134, 138, 130, 132, 128, 129, 131, 137, 133, 135, 136, 113, 115, 114),
  // Keys of other languages.
  ...row(0x85, 121),
  ...row(0x87, 89, 93, 124, 92, 94, 95),
  ...row(0x90, 122, 123, 90, 91, 85),
  ...row(0xb6, 179, 180),
  // Control, Shift, Alt and Meta, left and right.
  ...row(0xe0, 29, 42, 56, 125, 97, 54, 100, 126),
]);

const consumer = new Map([
  ...row(0x030, 116),
  ...row(0x032, 142),
  ...row(0x06f, 225, 224),
  ...row(0x0b0, 207, 119, 167, 208, 168, 163, 165, 166, 161),
  ...row(0x0cd, 164),
  ...row(0x0e2, 113),
  ...row(0x0e9, 115, 114),
  ...row(0x18a, 155),
  ...row(0x192, 140),
  ...row(0x194, 144),
  ...row(0x196, 150),
  ...row(0x19e, 152),
  ...row(0x221, 217),
  ...row(0x223, 172, 158, 159, 128, 173),
  ...row(0x22a, 156),
]);

/** Power down, sleep and wake up: the bits of the system report. */
const system = [116, 142, 143] as const;

/** First usage of the modifiers, one a bit of the keyboard report's first byte. */
const firstModifier = 0xe0;

/** Keycode of X for a usage of the keyboard page; undefined where it has none. */
export function keyboardKeycode(usage: number): number | undefined {
  return keycode(keyboard.get(usage));
}

export function consumerKeycode(usage: number): number | undefined {
  return keycode(consumer.get(usage));
}

/** Keycodes of the modifiers in `mask`, bit 0 being the left Control. */
export function modifierKeycodes(mask: number): number[] {
  return bitsOf(mask).flatMap((bit) => keyboardKeycode(firstModifier + bit) ?? []);
}

export function systemKeycodes(mask: number): number[] {
  return bitsOf(mask).flatMap((bit) => keycode(system[bit]) ?? []);
}

function bitsOf(mask: number): number[] {
  return Array.from({ length: 8 }, (_, bit) => bit).filter((bit) => (mask & (1 << bit)) !== 0);
}

function keycode(evdev: number | undefined): number | undefined {
  return evdev === undefined || evdev > lastEvdev ? undefined : evdev + xKeycodeOffset;
}
