import { TokenBucket } from '../../rates/token-bucket.ts';
import { DeadMan } from './dead-man.ts';
import type { HeldState } from './held-state.ts';
import {
  type DeviceMessage,
  decodeViewerMessage,
  encodeDeviceMessage,
  isNewerSequence,
  type NoticeCode,
  type ViewerMessage,
} from './hid-messages.ts';
import type { HidChannel, HidCounts, HidViewer, HidViewerLink } from './hid-status.ts';
import type { HidTimers } from './hid-timers.ts';
import type { Done } from './input-lane.ts';
import type { InputLanes } from './input-lanes.ts';
import { eventLatencyMs, type LatencyRecord } from './latency-record.ts';
import {
  keyMessageBurst,
  keyMessagesPerSecond,
  maxQueuedKeys,
  pongBurst,
  pongsPerSecond,
} from './limits.ts';
import { WheelNotches } from './wheel-notches.ts';

export type MutableCounts = { -readonly [K in keyof HidCounts]: HidCounts[K] };

/** What every viewer's input goes to. */
export interface ViewerInputOptions {
  /** Whose keys these are; no other owner's name. */
  readonly owner: string;
  readonly link: HidViewerLink;
  readonly lanes: InputLanes;
  readonly held: HeldState;
  readonly timers: HidTimers;
  readonly counts: MutableCounts;
  readonly keyLatency: LatencyRecord;
  readonly pointerLatency: LatencyRecord;
  /** A person did something: keys, buttons, wheel, motion. */
  readonly noteInput: () => void;
  /** A key or button went down; a sleeping host may be woken by it. */
  readonly notePress: () => void;
  readonly closed: (viewer: ViewerInput) => void;
}

type Of<T extends ViewerMessage['type']> = Extract<ViewerMessage, { type: T }>;
type Body = DeviceMessage extends infer M ? (M extends DeviceMessage ? BodyOf<M> : never) : never;
type BodyOf<M> = Omit<M, 'sequence' | 'timestampMs'>;

const modifierUsages = [0xe0, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7] as const;

/**
 * One viewer's stream of messages (PROTOCOL.md): bounded, checked, and undone when the viewer falls silent.
 *
 * INVARIANTS: a message never throws; what is not taken releases all, so no key waits for an end that was
 * not taken either; after `close` nothing is held.
 */
export class ViewerInput implements HidViewer {
  readonly #options: ViewerInputOptions;
  readonly #keyRate: TokenBucket;
  readonly #pongRate: TokenBucket;
  readonly #deadMan: DeadMan;
  readonly #wheel = new WheelNotches();
  #sequence = 0;
  #newestPointer: ViewerMessage | undefined;
  #offsetMs = Number.NaN;
  #queued = 0;
  /** Keys and buttons that it said are down, and did not say are up. */
  readonly #down = new Set<string>();
  #mask = 0;
  #closed = false;
  /** What is held was released without the viewer's doing: its modifiers may come back. */
  #lapsed = false;
  /** The last key or button by the viewer's clock: an `alive` from before tells of an older state. */
  #keyAtMs = 0;
  #buttonAtMs = 0;
  #newestMove: Of<'move-absolute'> | undefined;
  #overflowing = false;
  #malformedTold = false;

  constructor(options: ViewerInputOptions) {
    this.#options = options;
    const nowMs = options.timers.nowMs();
    this.#keyRate = new TokenBucket({
      perSecond: keyMessagesPerSecond,
      burst: keyMessageBurst,
      nowMs,
    });
    this.#pongRate = new TokenBucket({ perSecond: pongsPerSecond, burst: pongBurst, nowMs });
    this.#deadMan = new DeadMan({
      timers: options.timers,
      // What it said, not what the host took so far: who lets go of everything has no more to say.
      holds: () => this.#down.size > 0 || this.#mask !== 0,
      expired: () => this.#expired(),
    });
  }

  receive(bytes: Uint8Array, channel: HidChannel): void {
    if (this.#closed) return;
    const message = decodeViewerMessage(bytes);
    if (message === undefined) {
      this.#malformed();
      return;
    }
    if (channel === 'pointer' && !this.#isNewest(message)) return;
    this.#deadMan.heard();
    this.#take(message);
    this.#deadMan.watch();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#deadMan.stop();
    this.#options.lanes.release(this.#options.owner);
    this.#options.closed(this);
  }

  /** Sends a message; what the connection does not take is counted. */
  send(body: Body): void {
    if (this.#closed) return;
    const { link, timers, counts } = this.#options;
    const stamp = { sequence: this.#sequence, timestampMs: timers.nowMs() };
    this.#sequence = (this.#sequence + 1) & 0xffff;
    if (!link.send(encodeDeviceMessage({ ...body, ...stamp }))) counts.unsent += 1;
  }

  notice(code: NoticeCode, text: string): void {
    this.send({ type: 'notice', code, text });
  }

  /** All it held is forgotten, though its keys may still be down. */
  lapse(): void {
    this.#lapsed = true;
    this.#forget();
  }

  #take(message: ViewerMessage): void {
    switch (message.type) {
      case 'key':
        this.#key(message);
        break;
      case 'button':
        this.#button(message);
        break;
      case 'wheel':
        this.#wheelTurn(message);
        break;
      case 'move-absolute':
        this.#moveAbsolute(message);
        break;
      case 'move-relative':
        this.#moveRelative(message);
        break;
      case 'release':
        this.#release(message);
        break;
      case 'alive':
        this.#alive(message);
        break;
      case 'clock':
        if (this.#admitted()) this.#offsetMs = message.offsetMs;
        this.#pong(message);
        break;
      default:
        message satisfies never;
    }
  }

  #key(message: Of<'key'>): void {
    const { counts, lanes, owner, noteInput, notePress } = this.#options;
    counts.keyEvents += 1;
    this.#keyAtMs = message.timestampMs;
    if (!this.#queue()) return;
    noteInput();
    const { page, usage, down } = message;
    if (down) this.#down.add(`${page} ${usage}`);
    else this.#down.delete(`${page} ${usage}`);
    lanes.key({ owner, key: { page, usage }, down }, this.#written(message));
    if (down) notePress();
  }

  #button(message: Of<'button'>): void {
    const { counts, lanes, owner, noteInput, notePress } = this.#options;
    counts.keyEvents += 1;
    this.#keyAtMs = message.timestampMs;
    this.#buttonAtMs = message.timestampMs;
    if (!this.#queue()) return;
    noteInput();
    const { mode, mask, x, y } = message;
    this.#mask = mask;
    lanes.buttons({ owner, mode, mask, x, y }, this.#written(message));
    if (mask !== 0) notePress();
    // Motion overtakes buttons on its way here: what is newer than the button comes after it again.
    const newer = this.#newestMove;
    if (mode === 'absolute' && newer !== undefined && newer.timestampMs > message.timestampMs) {
      lanes.moveAbsolute({ owner, x: newer.x, y: newer.y });
    }
  }

  #wheelTurn(message: Of<'wheel'>): void {
    const { counts, lanes, owner, noteInput } = this.#options;
    counts.keyEvents += 1;
    if (!this.#queue()) return;
    noteInput();
    const done = this.#written(message);
    const { wheel, pan } = this.#wheel.turn(message.vertical, message.horizontal);
    // Less than a notch is taken, and told with the turn that completes it.
    if (wheel === 0 && pan === 0) done(true);
    else lanes.wheel({ owner, wheel, pan }, done);
  }

  #moveAbsolute(message: Of<'move-absolute'>): void {
    const { counts, lanes, owner, noteInput } = this.#options;
    counts.pointerEvents += 1;
    if (message.timestampMs < this.#buttonAtMs) {
      counts.stale += 1;
      return;
    }
    this.#newestMove = message;
    noteInput();
    lanes.moveAbsolute({ owner, x: message.x, y: message.y }, this.#moved(message));
  }

  #moveRelative(message: Of<'move-relative'>): void {
    const { counts, lanes, owner, noteInput } = this.#options;
    counts.pointerEvents += 1;
    noteInput();
    lanes.moveRelative({ owner, dx: message.dx, dy: message.dy }, this.#moved(message));
  }

  #release({ timestampMs }: Of<'release'>): void {
    this.#keyAtMs = timestampMs;
    this.#lapsed = false;
    this.#forget();
    this.#wheel.reset();
    if (this.#admitted()) this.#options.lanes.release(this.#options.owner);
  }

  #alive(message: Of<'alive'>): void {
    if (this.#lapsed && this.#options.lanes.open && message.timestampMs >= this.#keyAtMs) {
      this.#lapsed = false;
      this.#bringBack(message.modifiers);
    }
    this.#pong(message);
  }

  #bringBack(modifiers: number): void {
    const { lanes, owner } = this.#options;
    for (const [bit, usage] of modifierUsages.entries()) {
      if ((modifiers & (1 << bit)) === 0) continue;
      // Counted like a key of the viewer's, so that it is watched over while it waits.
      this.#queued += 1;
      this.#down.add(`keyboard ${usage}`);
      lanes.key({ owner, key: { page: 'keyboard', usage }, down: true }, () => {
        this.#queued -= 1;
      });
    }
  }

  #forget(): void {
    this.#down.clear();
    this.#mask = 0;
  }

  #pong({ timestampMs }: ViewerMessage): void {
    const deviceMs = this.#options.timers.nowMs();
    if (!this.#pongRate.take(deviceMs)) return;
    this.send({ type: 'pong', viewerTimestampMs: timestampMs, deviceMs });
  }

  /** Whether the key, button or wheel turn may wait for the host. */
  #queue(): boolean {
    if (!this.#admitted()) return false;
    if (this.#queued >= maxQueuedKeys) {
      this.#overflow('too many keys wait for the host');
      return false;
    }
    this.#overflowing = false;
    this.#queued += 1;
    return true;
  }

  #admitted(): boolean {
    if (this.#keyRate.take(this.#options.timers.nowMs())) return true;
    this.#overflow(`more than ${keyMessagesPerSecond} keys a second`);
    return false;
  }

  /** A key that is not taken may be an end: nothing stays held. */
  #overflow(text: string): void {
    const { counts, lanes, owner } = this.#options;
    counts.overflows += 1;
    counts.dropped += 1;
    lanes.drop(owner);
    this.#forget();
    this.#lapsed = false;
    if (this.#overflowing) return;
    this.#overflowing = true;
    this.notice('overflow', `${text}: all keys are released`);
  }

  #expired(): void {
    const { counts, lanes, owner } = this.#options;
    counts.deadMan += 1;
    lanes.drop(owner);
    this.#forget();
    this.#lapsed = true;
    this.notice('dead-man', 'nothing was heard: all keys are released');
  }

  /** Answers a key, button or wheel turn when its report is written, or never will be. */
  #written(message: ViewerMessage): Done {
    return (taken) => {
      const { counts, keyLatency } = this.#options;
      this.#queued -= 1;
      const latencyMs = taken ? this.#latencyMs(message) : Number.NaN;
      if (taken) keyLatency.add(latencyMs);
      else counts.dropped += 1;
      this.send({ type: 'written', of: message.sequence, taken, latencyMs });
    };
  }

  #moved(message: ViewerMessage): Done {
    return (taken) => {
      if (taken) this.#options.pointerLatency.add(this.#latencyMs(message));
    };
  }

  #latencyMs({ timestampMs }: ViewerMessage): number {
    const { timers } = this.#options;
    return eventLatencyMs({ nowMs: timers.nowMs(), timestampMs, offsetMs: this.#offsetMs });
  }

  /** On the unordered channel what was overtaken tells of the past; a second ahead numbers have wrapped. */
  #isNewest(message: ViewerMessage): boolean {
    const before = this.#newestPointer;
    if (
      before !== undefined &&
      !isNewerSequence(message.sequence, before.sequence) &&
      message.timestampMs < before.timestampMs + 1_000
    ) {
      this.#options.counts.stale += 1;
      return false;
    }
    this.#newestPointer = message;
    return true;
  }

  #malformed(): void {
    this.#options.counts.malformed += 1;
    if (this.#malformedTold) return;
    this.#malformedTold = true;
    this.notice('malformed', 'a message was none of earshot-hid-1');
  }
}
