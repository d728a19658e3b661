import { fastLaneLabel, fastLaneProtocol } from '../../media/fast-lane-packets.ts';
import type { LaneVia, WorkerCommand } from './lane-messages.ts';

/** How long the data channel may take to open before the WebSocket is tried beside it. */
const channelDeadlineMs = 3_000;

export interface LaneTransportsOptions {
  readonly send: (command: WorkerCommand, transfer?: Transferable[]) => void;
  /** WebSocket address of a session's fast lane. */
  readonly socketUrl: (session: string) => string;
  /** Fresh delays between tries, in ms. */
  readonly backoff: () => Iterator<number>;
}

/**
 * Chooses what the worker receives over: a data channel on the peer connection there is, and a
 * WebSocket while none is open. A channel that closed is made anew, a socket too, each after a delay.
 */
export class LaneTransports {
  readonly #options: LaneTransportsOptions;
  readonly #open = new Set<LaneVia>();
  #connection: RTCPeerConnection | undefined;
  #session: string | undefined;
  #socketSession: string | undefined;
  /** The data channel, where this browser does not let it go to the worker. */
  #relayed: RTCDataChannel | undefined;
  #channelDelays: Iterator<number>;
  #socketDelays: Iterator<number>;
  #channelTimer: number | undefined;
  #socketTimer: number | undefined;
  #isStarted = false;
  /** What was open last was the WebSocket: UDP does not pass here. */
  #prefersSocket = false;

  constructor(options: LaneTransportsOptions) {
    this.#options = options;
    this.#channelDelays = options.backoff();
    this.#socketDelays = options.backoff();
  }

  /** What is open; of two, what is received over. */
  get via(): LaneVia | undefined {
    if (this.#open.has('channel')) return 'channel';
    return this.#open.has('websocket') ? 'websocket' : undefined;
  }

  start(): void {
    this.#isStarted = true;
    this.#connectChannel();
    this.#fallBackIn(channelDeadlineMs);
  }

  /** The worker closes what it holds when it stops. */
  stop(): void {
    this.#isStarted = false;
    window.clearTimeout(this.#channelTimer);
    window.clearTimeout(this.#socketTimer);
    this.#connection?.removeEventListener('connectionstatechange', this.#onConnectionState);
    this.#dropRelayed();
    this.#open.clear();
  }

  attach(connection: RTCPeerConnection | undefined): void {
    if (connection === this.#connection) return;
    this.#connection?.removeEventListener('connectionstatechange', this.#onConnectionState);
    this.#connection = connection;
    connection?.addEventListener('connectionstatechange', this.#onConnectionState);
    if (!this.#isStarted) return;
    this.#open.delete('channel');
    this.#dropRelayed();
    this.#options.send({ type: 'drop-channel' });
    this.#channelDelays = this.#options.backoff();
    this.#connectChannel();
    this.#fallBackIn(channelDeadlineMs);
  }

  setSession(session: string | undefined): void {
    if (session === this.#session) return;
    this.#session = session;
    if (!this.#isStarted) return;
    this.#dropSocket();
    this.#socketDelays = this.#options.backoff();
    this.#fallBackIn(this.#prefersSocket ? 0 : channelDeadlineMs);
  }

  /** The worker says that a link is open. */
  opened(via: LaneVia): void {
    this.#open.add(via);
    this.#prefersSocket = via === 'websocket';
    if (this.#prefersSocket) {
      this.#socketDelays = this.#options.backoff();
      return;
    }
    this.#channelDelays = this.#options.backoff();
    this.#dropSocket();
  }

  /** The worker says that a link is no longer there. */
  closed(via: LaneVia): void {
    this.#open.delete(via);
    if (via === 'websocket') {
      this.#socketSession = undefined;
      this.#fallBackIn(this.#socketDelays.next().value ?? 0);
      return;
    }
    this.#dropRelayed();
    window.clearTimeout(this.#channelTimer);
    this.#channelTimer = window.setTimeout(
      () => this.#connectChannel(),
      this.#channelDelays.next().value ?? 0,
    );
    this.#fallBackIn(0);
  }

  /** Sends what the worker wants sent over a channel that stayed here. */
  relay(bytes: Uint8Array): void {
    if (this.#relayed?.readyState === 'open') this.#relayed.send(new Uint8Array(bytes));
  }

  readonly #onConnectionState = (): void => {
    if (this.#connection?.connectionState === 'failed') this.#fallBackIn(0);
  };

  #connectChannel(): void {
    window.clearTimeout(this.#channelTimer);
    const connection = this.#connection;
    if (connection === undefined || connection.signalingState === 'closed') return;
    const channel = connection.createDataChannel(fastLaneLabel, {
      ordered: false,
      maxRetransmits: 0,
      protocol: fastLaneProtocol,
    });
    try {
      this.#options.send({ type: 'channel', channel }, [channel]);
    } catch {
      this.#keep(channel);
    }
  }

  /** Browsers that cannot hand it over throw DataCloneError: its messages go through the page then. */
  #keep(channel: RTCDataChannel): void {
    this.#relayed = channel;
    channel.binaryType = 'arraybuffer';
    channel.onopen = () => this.#options.send({ type: 'relay-opened' });
    channel.onclose = () => this.#options.send({ type: 'relay-closed' });
    channel.onmessage = ({ data }) => {
      const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array();
      this.#options.send({ type: 'relayed', bytes }, [bytes.buffer]);
    };
  }

  #dropRelayed(): void {
    const channel = this.#relayed;
    this.#relayed = undefined;
    if (channel === undefined) return;
    channel.onopen = null;
    channel.onclose = null;
    channel.onmessage = null;
    channel.close();
  }

  #fallBackIn(ms: number): void {
    window.clearTimeout(this.#socketTimer);
    this.#socketTimer = window.setTimeout(() => {
      this.#socketTimer = undefined;
      this.#connectSocket();
    }, ms);
  }

  #connectSocket(): void {
    const session = this.#session;
    if (session === undefined || this.#open.has('channel') || this.#socketSession === session) {
      return;
    }
    this.#socketSession = session;
    this.#options.send({ type: 'socket', url: this.#options.socketUrl(session) });
  }

  #dropSocket(): void {
    window.clearTimeout(this.#socketTimer);
    this.#socketTimer = undefined;
    this.#open.delete('websocket');
    if (this.#socketSession === undefined) return;
    this.#socketSession = undefined;
    this.#options.send({ type: 'drop-socket' });
  }
}
