import { maxNoticeBytes } from './limits.ts';

/** The messages of earshot-hid-1 as types, and their numbers and lengths (PROTOCOL.md). Pure: the page imports it. */

/** Bytes before the body: type, flags, sequence, timestamp. */
export const headerBytes = 12;
export const headerLayout = {
  type: { offset: 0, size: 1 },
  flags: { offset: 1, size: 1 },
  sequence: { offset: 2, size: 2 },
  timestamp: { offset: 4, size: 8 },
} as const;

export const viewerMessageTypes = {
  key: 1,
  button: 2,
  'move-absolute': 3,
  'move-relative': 4,
  wheel: 5,
  release: 6,
  alive: 7,
  clock: 8,
} as const;

export const deviceMessageTypes = {
  leds: 129,
  written: 130,
  host: 131,
  pong: 132,
  notice: 133,
} as const;

/** Usage pages a key can be on: `system` stands for Generic Desktop 0x81–0x83. */
export const keyPages = ['keyboard', 'consumer', 'system'] as const;
export type KeyPage = (typeof keyPages)[number];

export const pointerModes = ['absolute', 'relative'] as const;
export type PointerMode = (typeof pointerModes)[number];

/** The host's states, each at its number. */
export const hostStates = ['none', 'detached', 'attached', 'suspended'] as const;

/** What a notice is about. */
export const noticeCodes = {
  /** All the viewer held was released, since nothing was heard of it. */
  'dead-man': 1,
  /** More came than the device takes; what waited was dropped and all released. */
  overflow: 2,
  /** What was held is forgotten: the host went or sleeps. */
  'host-gone': 3,
  /** A text or a macro ended, was stopped, or failed. */
  'task-done': 4,
  'task-stopped': 5,
  'task-failed': 6,
  /** A message was no message of this protocol. */
  malformed: 7,
} as const;
export type NoticeCode = keyof typeof noticeCodes;

/** What every message has. */
export interface Stamped {
  /** Number of the message in its channel, 0–65535, wrapping. */
  readonly sequence: number;
  /** When it happened on the sender's clock, in ms since 1970 (`performance.timeOrigin` + `event.timeStamp`). */
  readonly timestampMs: number;
}

export type ViewerMessage = Stamped &
  (
    | {
        readonly type: 'key';
        readonly page: KeyPage;
        readonly usage: number;
        readonly down: boolean;
      }
    /** All buttons of the viewer (bit 0 left, 1 right, 2 middle, 3 back, 4 forward), and where; relative: 0, 0. */
    | {
        readonly type: 'button';
        readonly mode: PointerMode;
        readonly mask: number;
        readonly x: number;
        readonly y: number;
      }
    /** 0–32767 over the picture's width and height. */
    | { readonly type: 'move-absolute'; readonly x: number; readonly y: number }
    | { readonly type: 'move-relative'; readonly dx: number; readonly dy: number }
    /** 120 is one notch; positive is up and right. */
    | { readonly type: 'wheel'; readonly vertical: number; readonly horizontal: number }
    | { readonly type: 'release' }
    /** The modifiers held, as in the keyboard report, and how many keys and buttons. */
    | { readonly type: 'alive'; readonly modifiers: number; readonly held: number }
    /** Device clock minus viewer clock in ms; NaN unknown. */
    | { readonly type: 'clock'; readonly offsetMs: number }
  );

export type DeviceMessage = Stamped &
  (
    | { readonly type: 'leds'; readonly mask: number }
    /** What became of the key, button or wheel message `of`, and how long after the event; NaN unknown. */
    | {
        readonly type: 'written';
        readonly of: number;
        readonly taken: boolean;
        readonly latencyMs: number;
      }
    | { readonly type: 'host'; readonly state: (typeof hostStates)[number] }
    | { readonly type: 'pong'; readonly viewerTimestampMs: number; readonly deviceMs: number }
    | { readonly type: 'notice'; readonly code: NoticeCode; readonly text: string }
  );

/** Bytes of a whole message; of a notice without its text. */
export const messageBytes = {
  key: 16,
  button: 18,
  'move-absolute': 16,
  'move-relative': 16,
  wheel: 16,
  release: 12,
  alive: 14,
  clock: 20,
  leds: 13,
  written: 23,
  host: 13,
  pong: 28,
  notice: 13,
} as const;

/** No message is longer. */
export const maxMessageBytes = messageBytes.notice + maxNoticeBytes;
