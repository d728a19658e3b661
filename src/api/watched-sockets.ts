import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import type { Log } from '../log/log.ts';
import type { ApiCounts } from './api-counts.ts';

export interface WatchedSocketLimits {
  /** A viewer that does not answer a ping before the next one is gone, in ms. */
  readonly pingMs: number;
  /** Largest message of a viewer in bytes. */
  readonly maxMessageBytes: number;
  /** Messages a viewer may send between two pings. */
  readonly maxMessages: number;
  /** Bytes that may wait for a viewer. */
  readonly maxQueuedBytes: number;
  /** How long a viewer may take to answer the closing of its socket, in ms. */
  readonly closeMs: number;
}

/** Close codes of RFC 6455 §7.4.1 and the IANA registry. */
export const closeCodes = {
  normal: 1000,
  goingAway: 1001,
  protocol: 1002,
  unsupported: 1003,
  policy: 1008,
  tryAgain: 1013,
};

/** What a socket is opened for. */
export interface SocketHandler {
  /** A message, while the socket is open. Valid during the call only. */
  receive(data: WebSocket.RawData, isBinary: boolean): void;
  closed(code: number): void;
}

/** One open WebSocket. */
export class WatchedSocket {
  readonly #socket: WebSocket;
  readonly #counts: ApiCounts;
  readonly #closeMs: number;
  #probedMs: number | undefined;
  /** The shortest so far. */
  #roundTripMs = Number.POSITIVE_INFINITY;
  /** Since the last check. */
  heard = true;
  messages = 0;

  constructor(options: {
    readonly socket: WebSocket;
    readonly counts: ApiCounts;
    readonly closeMs: number;
  }) {
    this.#socket = options.socket;
    this.#counts = options.counts;
    this.#closeMs = options.closeMs;
    this.#socket.on('pong', () => this.#pong());
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** The subprotocol agreed on; empty: none. */
  get protocol(): string {
    return this.#socket.protocol;
  }

  /** Bytes that this process still keeps for the viewer; the system has more. */
  get queuedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  /** By how much longer than the shortest round trip a ping has waited for its answer, in ms. */
  get lateMs(): number {
    if (this.#probedMs === undefined) return 0;
    return Math.max(0, performance.now() - this.#probedMs - this.#roundTripMs);
  }

  /** Does nothing once it is closing. `sent` is called when the system has taken it. */
  send(data: string | Uint8Array, sent?: () => void): void {
    if (!this.isOpen) return;
    this.#socket.send(data, (error) => {
      if (error == null) sent?.();
    });
  }

  /** Sends a ping, unless one waits for its answer. */
  probe(): void {
    if (!this.isOpen || this.#probedMs !== undefined) return;
    this.#probedMs = performance.now();
    this.#socket.ping();
  }

  /** Sends a ping, whether or not one waits: the answer to any of them is a sign of life. */
  ping(): void {
    if (this.isOpen) this.#socket.ping();
  }

  /** Closes it, at the latest after `closeMs`. */
  end(code: number, reason: string): void {
    const socket = this.#socket;
    // A close frame carries at most 123 bytes of reason (RFC 6455 §5.5).
    socket.close(
      code,
      Buffer.from(reason)
        .subarray(0, 120)
        .toString()
        .replace(/\uFFFD$/, ''),
    );
    const deadline = setTimeout(() => socket.terminate(), this.#closeMs);
    socket.once('close', () => clearTimeout(deadline));
  }

  /** As `end`, counted: it did what no page does. */
  drop(code: number, reason: string): void {
    this.#counts.socketsDropped += 1;
    this.end(code, reason);
  }

  /** Ends it without a word, counted: it is silent or too slow. */
  terminate(): void {
    this.#counts.socketsDropped += 1;
    this.#socket.terminate();
  }

  #pong(): void {
    this.heard = true;
    if (this.#probedMs === undefined) return;
    this.#roundTripMs = Math.min(this.#roundTripMs, performance.now() - this.#probedMs);
    this.#probedMs = undefined;
  }
}

/** WebSockets that answer pings, do not flood and close in time, whatever they are for. */
export class WatchedSockets {
  readonly #log: Log;
  readonly #counts: ApiCounts;
  readonly #limits: WatchedSocketLimits;
  readonly #server: WebSocketServer;
  /** With what closes each when the server stops. */
  readonly #sockets = new Map<WatchedSocket, Promise<void>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: {
    readonly log: Log;
    readonly counts: ApiCounts;
    readonly limits: WatchedSocketLimits;
    /** The subprotocol to agree on, where the client offers it. */
    readonly protocol?: string;
  }) {
    const { protocol } = options;
    this.#log = options.log;
    this.#counts = options.counts;
    this.#limits = options.limits;
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: this.#limits.maxMessageBytes,
      ...(protocol !== undefined && {
        handleProtocols: (offered: Set<string>) => (offered.has(protocol) ? protocol : false),
      }),
    });
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#check(), this.#limits.pingMs);
  }

  /** Closes every socket, at the latest after `closeMs`. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    const closed = [...this.#sockets.values()];
    for (const socket of this.#sockets.keys()) {
      socket.end(closeCodes.goingAway, 'the device is stopping');
    }
    await Promise.all(closed);
  }

  /** Takes over an admitted upgrade request; `open` is called before it returns, unless the handshake fails. */
  accept(
    upgrade: { readonly request: IncomingMessage; readonly duplex: Duplex; readonly head: Buffer },
    open: (socket: WatchedSocket) => SocketHandler,
  ): void {
    const { request, duplex, head } = upgrade;
    this.#server.handleUpgrade(request, duplex, head, (webSocket) => this.#open(webSocket, open));
  }

  #open(webSocket: WebSocket, open: (socket: WatchedSocket) => SocketHandler): void {
    const [counts, { closeMs }] = [this.#counts, this.#limits];
    const socket = new WatchedSocket({ socket: webSocket, counts, closeMs });
    const closed = new Promise<void>((resolve) => webSocket.once('close', () => resolve()));
    this.#sockets.set(socket, closed);
    counts.socketsOpen += 1;
    counts.socketsTotal += 1;
    webSocket.on('error', (error) => this.#log.debug({ error: error.message }, 'WebSocket error'));
    const handler = open(socket);
    webSocket.on('message', (data, isBinary) => {
      // What comes after the server began to close is not for the handler.
      if (!socket.isOpen) return;
      socket.heard = true;
      socket.messages += 1;
      if (socket.messages > this.#limits.maxMessages) {
        socket.drop(closeCodes.policy, 'too many messages');
      } else {
        handler.receive(data, isBinary);
      }
    });
    webSocket.once('close', (code) => {
      this.#sockets.delete(socket);
      counts.socketsOpen -= 1;
      handler.closed(code);
    });
  }

  /** Pings everybody, and lets go of those who did not answer the last one. */
  #check(): void {
    for (const socket of this.#sockets.keys()) {
      if (!socket.heard) {
        socket.terminate();
        continue;
      }
      socket.heard = false;
      socket.messages = 0;
      socket.ping();
    }
  }
}
