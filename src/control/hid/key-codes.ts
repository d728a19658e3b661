import type { KeyPage } from './hid-messages.ts';

/**
 * Keys by their place on the keyboard: `KeyboardEvent.code` (UI Events KeyboardEvent code Values) to the usage a
 * host knows (HID Usage Tables 1.5: page 0x07, 0x0c, and Generic Desktop for the system keys). A layout never
 * matters here: the host applies its own. Pure: the page imports it.
 */

/** A key as reports name it. */
export interface KeyUsage {
  readonly page: KeyPage;
  readonly usage: number;
}

const letters = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ', (letter, index) => [
  `Key${letter}`,
  0x04 + index,
]);
const digits = Array.from('1234567890', (digit, index) => [`Digit${digit}`, 0x1e + index]);
const numpadDigits = Array.from('1234567890', (digit, index) => [`Numpad${digit}`, 0x59 + index]);
const functionKeys = Array.from({ length: 24 }, (_, index) => [
  `F${index + 1}`,
  index < 12 ? 0x3a + index : 0x68 + index - 12,
]);

const keyboardCodes: Readonly<Record<string, number>> = {
  ...Object.fromEntries([...letters, ...digits, ...numpadDigits, ...functionKeys]),
  Enter: 0x28,
  Escape: 0x29,
  Backspace: 0x2a,
  Tab: 0x2b,
  Space: 0x2c,
  Minus: 0x2d,
  Equal: 0x2e,
  BracketLeft: 0x2f,
  BracketRight: 0x30,
  Backslash: 0x31,
  Semicolon: 0x33,
  Quote: 0x34,
  Backquote: 0x35,
  Comma: 0x36,
  Period: 0x37,
  Slash: 0x38,
  CapsLock: 0x39,
  PrintScreen: 0x46,
  ScrollLock: 0x47,
  Pause: 0x48,
  Insert: 0x49,
  Home: 0x4a,
  PageUp: 0x4b,
  Delete: 0x4c,
  End: 0x4d,
  PageDown: 0x4e,
  ArrowRight: 0x4f,
  ArrowLeft: 0x50,
  ArrowDown: 0x51,
  ArrowUp: 0x52,
  NumLock: 0x53,
  NumpadDivide: 0x54,
  NumpadMultiply: 0x55,
  NumpadStar: 0x55,
  NumpadSubtract: 0x56,
  NumpadAdd: 0x57,
  NumpadEnter: 0x58,
  NumpadDecimal: 0x63,
  IntlBackslash: 0x64,
  ContextMenu: 0x65,
  NumpadEqual: 0x67,
  Open: 0x74,
  Help: 0x75,
  Select: 0x77,
  Again: 0x79,
  Undo: 0x7a,
  Cut: 0x7b,
  Copy: 0x7c,
  Paste: 0x7d,
  Find: 0x7e,
  NumpadComma: 0x85,
  IntlRo: 0x87,
  KanaMode: 0x88,
  IntlYen: 0x89,
  Convert: 0x8a,
  NonConvert: 0x8b,
  Lang1: 0x90,
  Lang2: 0x91,
  Lang3: 0x92,
  Lang4: 0x93,
  Lang5: 0x94,
  Katakana: 0x92,
  Hiragana: 0x93,
  Abort: 0x9b,
  Props: 0xa3,
  NumpadParenLeft: 0xb6,
  NumpadParenRight: 0xb7,
  NumpadBackspace: 0xbb,
  NumpadHash: 0xcc,
  NumpadMemoryStore: 0xd0,
  NumpadMemoryRecall: 0xd1,
  NumpadMemoryClear: 0xd2,
  NumpadMemoryAdd: 0xd3,
  NumpadMemorySubtract: 0xd4,
  NumpadClear: 0xd8,
  NumpadClearEntry: 0xd9,
  ControlLeft: 0xe0,
  ShiftLeft: 0xe1,
  AltLeft: 0xe2,
  MetaLeft: 0xe3,
  ControlRight: 0xe4,
  ShiftRight: 0xe5,
  AltRight: 0xe6,
  MetaRight: 0xe7,
  // Names of older browsers.
  OSLeft: 0xe3,
  OSRight: 0xe7,
};

const consumerCodes: Readonly<Record<string, number>> = {
  BrightnessUp: 0x6f,
  BrightnessDown: 0x70,
  MediaPlay: 0xb0,
  MediaPause: 0xb1,
  MediaRecord: 0xb2,
  MediaFastForward: 0xb3,
  MediaRewind: 0xb4,
  MediaTrackNext: 0xb5,
  MediaTrackPrevious: 0xb6,
  MediaStop: 0xb7,
  Eject: 0xb8,
  MediaPlayPause: 0xcd,
  AudioVolumeMute: 0xe2,
  AudioVolumeUp: 0xe9,
  AudioVolumeDown: 0xea,
  VolumeMute: 0xe2,
  VolumeUp: 0xe9,
  VolumeDown: 0xea,
  MediaSelect: 0x183,
  LaunchMail: 0x18a,
  LaunchApp2: 0x192,
  LaunchApp1: 0x194,
  BrowserSearch: 0x221,
  BrowserHome: 0x223,
  BrowserBack: 0x224,
  BrowserForward: 0x225,
  BrowserStop: 0x226,
  BrowserRefresh: 0x227,
  BrowserFavorites: 0x22a,
};

const systemCodes: Readonly<Record<string, number>> = { Power: 0x81, Sleep: 0x82, WakeUp: 0x83 };

const usages: ReadonlyMap<string, KeyUsage> = new Map([
  ...entriesOn('keyboard', keyboardCodes),
  ...entriesOn('consumer', consumerCodes),
  ...entriesOn('system', systemCodes),
]);

function entriesOn(page: KeyPage, codes: Readonly<Record<string, number>>): [string, KeyUsage][] {
  return Object.entries(codes).map(([code, usage]) => [code, { page, usage }]);
}

/** Every `code` that is a key of a host's; `Fn` and what has no usage is not. */
export const keyCodes: readonly string[] = [...usages.keys()];

/** The key of a `KeyboardEvent.code`; undefined for one no host has. */
export function usageOfCode(code: string): KeyUsage | undefined {
  return usages.get(code);
}

/** Bit of a modifier in the keyboard report; 0 for any other key. */
export function modifierBit({ page, usage }: KeyUsage): number {
  return page === 'keyboard' && usage >= 0xe0 && usage <= 0xe7 ? 1 << (usage - 0xe0) : 0;
}

/** Short names of combinations beside the codes themselves, and the code each stands for. */
export const keyNames: Readonly<Record<string, string>> = {
  ctrl: 'ControlLeft',
  control: 'ControlLeft',
  shift: 'ShiftLeft',
  alt: 'AltLeft',
  option: 'AltLeft',
  meta: 'MetaLeft',
  win: 'MetaLeft',
  super: 'MetaLeft',
  cmd: 'MetaLeft',
  lctrl: 'ControlLeft',
  lshift: 'ShiftLeft',
  lalt: 'AltLeft',
  lmeta: 'MetaLeft',
  rctrl: 'ControlRight',
  rshift: 'ShiftRight',
  ralt: 'AltRight',
  rmeta: 'MetaRight',
  altgr: 'AltRight',
  ...Object.fromEntries(
    letters.map(([code]) => [String(code).slice(3).toLowerCase(), String(code)]),
  ),
  ...Object.fromEntries(digits.map(([code]) => [String(code).slice(5), String(code)])),
  return: 'Enter',
  esc: 'Escape',
  del: 'Delete',
  ins: 'Insert',
  bksp: 'Backspace',
  spacebar: 'Space',
  up: 'ArrowUp',
  down: 'ArrowDown',
  left: 'ArrowLeft',
  right: 'ArrowRight',
  pgup: 'PageUp',
  pgdn: 'PageDown',
  caps: 'CapsLock',
  num: 'NumLock',
  scroll: 'ScrollLock',
  print: 'PrintScreen',
  prtsc: 'PrintScreen',
  sysrq: 'PrintScreen',
  break: 'Pause',
  menu: 'ContextMenu',
  mute: 'AudioVolumeMute',
  louder: 'AudioVolumeUp',
  quieter: 'AudioVolumeDown',
  play: 'MediaPlayPause',
  next: 'MediaTrackNext',
  previous: 'MediaTrackPrevious',
  wake: 'WakeUp',
};

const named: ReadonlyMap<string, KeyUsage> = new Map(
  [
    ...usages,
    ...Object.entries(keyNames).map(([name, code]) => [name, usages.get(code)] as const),
  ].flatMap(([name, usage]) => (usage === undefined ? [] : [[name.toLowerCase(), usage] as const])),
);

/** Every name of {@link usageOfName}, in small letters. */
export const allKeyNames: readonly string[] = [...named.keys()];

/** The key of a name (`ctrl`, `a`, `f5`, `del`) or of a code (`keya`), small and capital letters alike. */
export function usageOfName(name: string): KeyUsage | undefined {
  return named.get(name.toLowerCase());
}
