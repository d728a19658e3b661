import { TokenBucket } from '../rates/token-bucket.ts';
import {
  type HidHook,
  type HidLink,
  type HidViewer,
  type HidWay,
  maxHidMessageBytes,
} from './hid-channels.ts';
import { type HidCounts, type HidDropReason, noHidCounts } from './hid-counts.ts';
import type { Transport } from './transport.ts';

/** A viewer's WebSocket of keyboard and pointer. */
export interface HidSocket extends HidLink {
  /** Asks to close it. */
  end(reason: string): void;
}

/** The device's end of one. */
export interface HidConnection {
  /** A binary message, valid during the call only; a bad one is counted, never thrown. */
  receive(message: Uint8Array): void;
  /** It is gone; idempotent. */
  close(): void;
}

/** What of a transport this needs. */
type HidTransport = Pick<Transport, 'on' | 'keysOpen' | 'sendKeys'>;

/**
 * Messages of viewers. Of keys it is twice what the viewer's HidViewer takes, which tells the viewer
 * when that is too much; pointers of gamers report 1,000 times a second.
 */
const rates = {
  keys: { perSecond: 1_024, burst: 2_048 },
  pointer: { perSecond: 2_000, burst: 2_000 },
  socket: { perSecond: 3_024, burst: 4_048 },
} as const satisfies Record<HidWay, object>;
/** After keys over their limit nothing is taken for so long, in ms: nobody typed those. */
const penaltyMs = 1_000;

/**
 * The device's end of one viewer's keyboard and pointer: hands its messages on, from the two data
 * channels or from the WebSocket, whichever spoke last.
 *
 * INVARIANT: what a viewer holds is released, by closing its {@link HidViewer}, as soon as anything may
 * have been lost of what it says: a channel closed, the WebSocket ended, a key's message over the limit,
 * another way taken, the media reset.
 */
export class HidLane {
  readonly counts: HidCounts = noHidCounts();
  readonly #session: string;
  readonly #hook: HidHook | undefined;
  readonly #nowMs: () => number;
  readonly #buckets: Readonly<Record<HidWay, TokenBucket>>;
  #transport: HidTransport | undefined;
  #socket: HidSocket | undefined;
  #way: 'channel' | 'socket' | undefined;
  #viewer: HidViewer | undefined;
  #deafUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: {
    readonly session: string;
    /** Undefined: messages go nowhere. */
    readonly hook: HidHook | undefined;
    readonly nowMs: () => number;
  }) {
    this.#session = options.session;
    this.#hook = options.hook;
    this.#nowMs = options.nowMs;
    const nowMs = options.nowMs();
    this.#buckets = {
      keys: new TokenBucket({ ...rates.keys, nowMs }),
      pointer: new TokenBucket({ ...rates.pointer, nowMs }),
      socket: new TokenBucket({ ...rates.socket, nowMs }),
    };
  }

  /** Whether somebody's keys may be held now. */
  get isOpen(): boolean {
    return this.#viewer !== undefined;
  }

  /** Takes the channels of a new transport, in place of those of the one before. */
  attach(transport: HidTransport): void {
    this.detach();
    this.#transport = transport;
    transport.on('hid', (channel, message) => {
      if (transport === this.#transport) this.#receive(channel, message);
    });
    transport.on('hid-channel', (_channel, change) => {
      if (transport !== this.#transport) return;
      if (change === 'overflow') this.counts.overflows += 1;
      if (change !== 'open') this.#leave('channel');
      else if (transport.keysOpen && this.#viewer === undefined) this.#become('channel');
    });
  }

  /** The channels are gone with their transport. */
  detach(): void {
    this.#transport = undefined;
    this.#leave('channel');
  }

  /** Takes a WebSocket, in place of the one before. */
  openSocket(socket: HidSocket): HidConnection {
    this.endSocket('Another WebSocket took its place.');
    this.#socket = socket;
    if (this.#viewer === undefined) this.#become('socket');
    return {
      receive: (message) => {
        if (socket === this.#socket) this.#receive('socket', message);
      },
      close: () => {
        if (socket !== this.#socket) return;
        this.#socket = undefined;
        this.#leave('socket');
      },
    };
  }

  /** Ends the WebSocket, where there is one. */
  endSocket(reason: string): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#leave('socket');
    socket?.end(reason);
  }

  #receive(way: HidWay, message: Uint8Array): void {
    const reason = this.#dropReason(way, message);
    if (reason !== undefined) {
      this.counts.dropped[way][reason] += 1;
      return;
    }
    this.#become(way === 'socket' ? 'socket' : 'channel');
    this.counts.received[way] += 1;
    this.#viewer?.receive(message, way);
  }

  #dropReason(way: HidWay, message: Uint8Array): HidDropReason | undefined {
    const nowMs = this.#nowMs();
    if (message.length > maxHidMessageBytes.maxMessageBytes) return 'size';
    if (way !== 'socket' && this.#transport?.keysOpen !== true) return 'no-keys';
    if (nowMs < this.#deafUntilMs) return 'rate';
    if (this.#buckets[way].take(nowMs)) return undefined;
    if (way !== 'pointer') {
      // Among what is lost may be that a key was let go of.
      this.#leave(way === 'socket' ? 'socket' : 'channel');
      this.#deafUntilMs = nowMs + penaltyMs;
    }
    return 'rate';
  }

  #become(way: 'channel' | 'socket'): void {
    if (way === this.#way) return;
    if (this.#way !== undefined) this.#leave(this.#way);
    this.#way = way;
    this.#viewer = this.#hook?.open(this.#session, { send: (message) => this.#send(way, message) });
  }

  #leave(way: 'channel' | 'socket'): void {
    if (way !== this.#way) return;
    const viewer = this.#viewer;
    this.#way = undefined;
    this.#viewer = undefined;
    viewer?.close();
  }

  #send(way: 'channel' | 'socket', message: Uint8Array): boolean {
    if (way !== this.#way) return false;
    const taken =
      way === 'channel' ? this.#transport?.sendKeys(message) : this.#socket?.send(message);
    if (taken === true) this.counts.sent += 1;
    else this.counts.unsent += 1;
    return taken === true;
  }
}
