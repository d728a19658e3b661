import type { HostState } from './hid-host.ts';
import type { LayoutName } from './layouts/layout-names.ts';

/** Counts since the start; each only grows. */
export interface HidCounts {
  /** Keys, buttons and wheel turns of viewers. */
  readonly keyEvents: number;
  /** Pointer motions of viewers, before coalescing. */
  readonly pointerEvents: number;
  /** Reports the host took, and did not take. */
  readonly reportsTaken: number;
  readonly reportsFailed: number;
  /** Messages that were none of the protocol's. */
  readonly malformed: number;
  /** Pointer messages that came after a newer one. */
  readonly stale: number;
  /** Keys, buttons and wheel turns that never reached the host: too many, too late, or no host. */
  readonly dropped: number;
  /** Times all a viewer held was released since it was silent. */
  readonly deadMan: number;
  /** Times a viewer sent more than the device takes. */
  readonly overflows: number;
  /** Messages a viewer's connection did not take. */
  readonly unsent: number;
}

export interface HidLeds {
  readonly num: boolean;
  readonly caps: boolean;
  readonly scroll: boolean;
  readonly compose: boolean;
  readonly kana: boolean;
}

/** A text or a macro on its way to the host. */
export interface HidTaskStatus {
  readonly kind: 'text' | 'macro';
  /** The macro's name; of a text, empty: what is pasted may be a secret. */
  readonly name: string;
  /** Characters typed or steps done, of all. */
  readonly done: number;
  readonly total: number;
}

export interface JigglerSettings {
  readonly enabled: boolean;
  /** Seconds without input before each move, 10–3600. */
  readonly seconds: number;
}

export interface HidLatency {
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

/** Keyboard and mouse as the API tells of them. */
export interface HidStatus {
  readonly host: HostState;
  /** Why it is not attached, in words; empty when it is. */
  readonly reason: string;
  readonly leds: HidLeds;
  /** Connections that may send input. */
  readonly viewers: number;
  readonly heldKeys: number;
  readonly heldButtons: number;
  /** Layout of the host, for texts that name none. */
  readonly layout: LayoutName;
  readonly layouts: readonly LayoutName[];
  readonly jiggler: JigglerSettings;
  readonly task: HidTaskStatus | null;
  /** A viewer's event to the report's write in ms, over the last keys, buttons and wheel turns; null: unknown. */
  readonly latencyMs: HidLatency | null;
  readonly counts: HidCounts;
}

/** A distribution as Prometheus wants it: how many lay at or below each bound. */
export interface LatencyHistogram {
  /** Upper bounds in seconds, ascending; the last bucket is +Inf and not listed. */
  readonly boundsSeconds: readonly number[];
  /** Cumulative, one for each bound. */
  readonly counts: readonly number[];
  readonly count: number;
  readonly sumSeconds: number;
}

/** A connection to a viewer. */
export interface HidViewerLink {
  /** Sends one message on the ordered channel; false when it cannot take it now. */
  send(message: Uint8Array): boolean;
}

/** Where a viewer's message came from: the two data channels, or the WebSocket that carries all. */
export type HidChannel = 'keys' | 'pointer' | 'socket';

/** One viewer's input. */
export interface HidViewer {
  /** One message as it came; what is none is counted. Never throws. */
  receive(message: Uint8Array, channel: HidChannel): void;
  /** Releases all it holds; idempotent. */
  close(): void;
}
