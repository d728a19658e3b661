import type { DeviceMessage } from '../../control/hid/hid-messages.ts';
import {
  type Carrier,
  type CarrierEvents,
  channelsCarrier,
  type LinkVia,
  type Outgoing,
  socketCarrier,
} from './link-carrier.ts';

/** How long the data channels may take to open before the WebSocket is tried beside them. */
export const channelsDeadlineMs = 2_000;

/** A socket that has not opened by then is given up. */
const socketDeadlineMs = 10_000;

export interface HidLinkOptions {
  /** WebSocket of a session's keyboard and mouse. */
  readonly openSocket: (session: string) => WebSocket;
  /** Fresh delays between tries, in ms. */
  readonly backoff: () => Iterator<number>;
  /** Runs `action` after a delay, unless the function returned is called before. */
  readonly later: (delayMs: number, action: () => void) => () => void;
  /** Another way is about to be taken; what is held goes up while the old one is still there. */
  readonly onSwitch: () => void;
  /** Messages go by this from now on; undefined: by nothing, and what was held is released by the device. */
  readonly onVia: (via: LinkVia | undefined) => void;
  readonly onMessage: (message: DeviceMessage) => void;
}

/**
 * The way of keys and pointer to the device: two data channels on the peer connection there is, and a
 * WebSocket while they are not open. Whatever closes is made anew after a delay.
 *
 * INVARIANTS: one pair of channels and one socket at most; of two ways that are open, the channels are used
 * and the socket is closed.
 */
export class HidLink {
  readonly #options: HidLinkOptions;
  #isStarted = false;
  #connection: RTCPeerConnection | undefined;
  #session: string | undefined;
  #channels: Carrier | undefined;
  #socket: Carrier | undefined;
  #used: Carrier | undefined;
  #channelsDelays: Iterator<number>;
  #socketDelays: Iterator<number>;
  #cancelChannels: () => void = () => undefined;
  #cancelSocket: () => void = () => undefined;

  constructor(options: HidLinkOptions) {
    this.#options = options;
    this.#channelsDelays = options.backoff();
    this.#socketDelays = options.backoff();
  }

  /** What messages go by; undefined: by nothing. */
  get via(): LinkVia | undefined {
    return this.#used?.via;
  }

  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#connectChannels();
    this.#socketIn(channelsDeadlineMs);
  }

  /** Idempotent; nothing is reported afterwards, beside that nothing is used. */
  stop(): void {
    this.#isStarted = false;
    this.#dropChannels();
    this.#dropSocket();
    this.#use(undefined);
  }

  /** The peer connection that the channels are made on; undefined: there is none. */
  attach(connection: RTCPeerConnection | undefined): void {
    if (connection === this.#connection) return;
    this.#connection = connection;
    if (!this.#isStarted) return;
    const wasUsed = this.#channels !== undefined && this.#used === this.#channels;
    this.#dropChannels();
    if (wasUsed) this.#use(undefined);
    this.#channelsDelays = this.#options.backoff();
    this.#connectChannels();
    if (this.#socket === undefined) this.#socketIn(channelsDeadlineMs);
  }

  /** The device's name for this session, which the WebSocket needs; undefined: there is none. */
  setSession(session: string | undefined): void {
    if (session === this.#session) return;
    this.#session = session;
    if (!this.#isStarted) return;
    const wasUsed = this.#socket !== undefined && this.#used === this.#socket;
    this.#dropSocket();
    if (wasUsed) this.#use(undefined);
    this.#socketDelays = this.#options.backoff();
    this.#socketIn(channelsDeadlineMs);
  }

  /**
   * False: the message did not go. Of one that the next one makes up for (moves, `alive`) nothing else
   * comes; where any other does not go the way is given up, and with it all that is held.
   */
  send(message: Outgoing): boolean {
    const used = this.#used;
    if (used === undefined) return false;
    if (used.send(message)) return true;
    const { type } = message;
    if (type === 'move-absolute' || type === 'move-relative' || type === 'alive') return false;
    used.close();
    if (used === this.#channels) this.#channelsClosed();
    else this.#socketClosed();
    return false;
  }

  #connectChannels(): void {
    this.#cancelChannels();
    const connection = this.#connection;
    if (!this.#isStarted || connection === undefined) return;
    if (connection.signalingState === 'closed') return;
    let carrier: Carrier | undefined;
    const events: CarrierEvents = {
      onOpen: () => {
        if (carrier === this.#channels) this.#channelsOpened();
      },
      onMessage: (message) => this.#receive(carrier, message),
      onClosed: () => {
        if (carrier === this.#channels) this.#channelsClosed();
      },
    };
    try {
      carrier = channelsCarrier(connection, events);
    } catch {
      // The connection closed between the look at it and this; the next one is attached soon.
      return;
    }
    this.#channels = carrier;
  }

  #channelsOpened(): void {
    this.#channelsDelays = this.#options.backoff();
    if (this.#used !== undefined) this.#options.onSwitch();
    this.#dropSocket();
    this.#use(this.#channels);
  }

  #channelsClosed(): void {
    const wasUsed = this.#used === this.#channels;
    this.#channels = undefined;
    if (wasUsed) this.#use(undefined);
    const delayMs = this.#channelsDelays.next().value ?? channelsDeadlineMs;
    this.#cancelChannels = this.#options.later(delayMs, () => this.#connectChannels());
    if (this.#socket === undefined) this.#socketIn(0);
  }

  #dropChannels(): void {
    this.#cancelChannels();
    this.#channels?.close();
    this.#channels = undefined;
  }

  /** Opens the socket after a delay, if it is still wanted then. */
  #socketIn(delayMs: number): void {
    this.#cancelSocket();
    if (!this.#isStarted) return;
    this.#cancelSocket = this.#options.later(delayMs, () => this.#connectSocket());
  }

  #connectSocket(): void {
    const session = this.#session;
    if (session === undefined || this.#socket !== undefined) return;
    if (this.#used !== undefined) return;
    const carrier = socketCarrier(this.#options.openSocket(session), {
      onOpen: () => {
        if (carrier === this.#socket) this.#socketOpened();
      },
      onMessage: (message) => this.#receive(carrier, message),
      onClosed: () => {
        if (carrier === this.#socket) this.#socketClosed();
      },
    });
    this.#socket = carrier;
    this.#cancelSocket = this.#options.later(socketDeadlineMs, () => {
      carrier.close();
      this.#socketClosed();
    });
  }

  #socketOpened(): void {
    this.#cancelSocket();
    this.#socketDelays = this.#options.backoff();
    this.#use(this.#socket);
  }

  #socketClosed(): void {
    const wasUsed = this.#used === this.#socket;
    this.#socket = undefined;
    if (wasUsed) this.#use(undefined);
    this.#socketIn(this.#socketDelays.next().value ?? channelsDeadlineMs);
  }

  #dropSocket(): void {
    this.#cancelSocket();
    this.#socket?.close();
    this.#socket = undefined;
  }

  #receive(carrier: Carrier | undefined, message: DeviceMessage): void {
    // The first words may come before the second channel is open.
    const isCurrent = carrier === this.#channels || carrier === this.#socket;
    if (carrier !== undefined && isCurrent) this.#options.onMessage(message);
  }

  #use(carrier: Carrier | undefined): void {
    if (carrier === this.#used) return;
    this.#used = carrier;
    this.#options.onVia(carrier?.via);
  }
}
