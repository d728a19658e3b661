import type {
  HidStatus,
  HidViewer,
  HidViewerLink,
  JigglerSettings,
  LatencyHistogram,
} from './hid-status.ts';
import type { LayoutName } from './layouts/layout-names.ts';
import type { Macro } from './macro.ts';

/** What a text would take. */
export interface TextCheck {
  /** Characters after line ends and compositions are made one. */
  readonly characters: number;
  /** Those the layout cannot type, each once, in order. */
  readonly untypable: readonly string[];
}

export interface TypeRequest {
  /** The host's layout; the one set when left out. */
  readonly layout?: LayoutName | undefined;
  /** 1–200; 50 when left out. */
  readonly charactersPerSecond?: number | undefined;
}

export interface HidServiceEvents {
  /** Host, LEDs, viewers, task, layout or jiggler changed. Progress of a task at most four times a second. */
  status: [HidStatus];
  /** The macros changed. */
  macros: [readonly Macro[]];
}

/** Keyboard and mouse of the host, as the API, the command and the metrics use them. */
export interface HidService {
  status(): HidStatus;
  /** A viewer that may send input, until it is closed. */
  openViewer(id: string, link: HidViewerLink): HidViewer;
  /** Presses `ctrl+alt+del` and lets it go. Throws HID_KEY_UNKNOWN, HID_NO_HOST or HID_NOT_TAKEN. */
  press(combination: string): Promise<void>;
  /**
   * Types the text; resolves when it is done. Throws HID_TEXT_UNTYPABLE before anything is sent,
   * HID_TEXT_TOO_LONG, HID_INVALID, HID_BUSY, HID_NO_HOST, HID_NOT_TAKEN or HID_STOPPED.
   */
  type(text: string, request?: TypeRequest): Promise<{ readonly characters: number }>;
  /** What of the text the layout cannot type. Throws HID_TEXT_TOO_LONG or HID_INVALID. */
  check(text: string, layout?: LayoutName): TextCheck;
  /** Stops what is typed and releases its keys; false when nothing was. */
  stopTask(): boolean;
  macros(): readonly Macro[];
  /** Keeps it, in place of one of that name. Throws HID_MACRO_INVALID or SETTINGS_WRITE_FAILED. */
  saveMacro(macro: unknown): Promise<Macro>;
  /** Throws HID_MACRO_UNKNOWN or SETTINGS_WRITE_FAILED. */
  removeMacro(name: string): Promise<void>;
  /** Resolves when it is done. Throws HID_MACRO_UNKNOWN and what `type` and `press` throw. */
  runMacro(name: string): Promise<void>;
  /** What is left out stays. Throws HID_INVALID or SETTINGS_WRITE_FAILED. */
  setJiggler(change: Partial<JigglerSettings>): Promise<JigglerSettings>;
  /** The layout of texts that name none. Throws HID_INVALID or SETTINGS_WRITE_FAILED. */
  setLayout(layout: LayoutName): Promise<LayoutName>;
  /** Wakes a sleeping host; false where that is not possible. */
  wake(): Promise<boolean>;
  /** Releases everything of everybody, and stops what is typed. */
  release(): void;
  /** Browser event to report, of keys (with buttons and wheel) and of pointer motion, since the start. */
  latency(): { readonly keys: LatencyHistogram; readonly pointer: LatencyHistogram };
  on<E extends keyof HidServiceEvents>(
    event: E,
    listener: (...values: HidServiceEvents[E]) => void,
  ): unknown;
  off<E extends keyof HidServiceEvents>(
    event: E,
    listener: (...values: HidServiceEvents[E]) => void,
  ): unknown;
}
