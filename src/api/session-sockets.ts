import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { isEarshotError } from '../errors/earshot-error.ts';
import type { Log } from '../log/log.ts';
import type { DeviceMessage } from '../media/signaling-messages.ts';
import type { ApiCounts } from './api-counts.ts';
import { asEarshotError } from './error-response.ts';
import type { MediaService, ViewerSession } from './services.ts';

export interface SessionSocketLimits {
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

export const defaultSessionSocketLimits: SessionSocketLimits = {
  pingMs: 5_000,
  maxMessageBytes: 64 * 1024,
  maxMessages: 500,
  maxQueuedBytes: 512 * 1024,
  closeMs: 2_000,
};

/** Close codes of RFC 6455 §7.4.1 and the IANA registry. */
const closeCodes = {
  normal: 1000,
  goingAway: 1001,
  unsupported: 1003,
  policy: 1008,
  tryAgain: 1013,
};

interface Connection {
  readonly socket: WebSocket;
  session: ViewerSession | undefined;
  heard: boolean;
  messages: number;
}

/** The WebSockets of /api/v1/session: each drives one viewer session and ends with it. */
export class SessionSockets {
  readonly #media: MediaService;
  readonly #log: Log;
  readonly #counts: ApiCounts;
  readonly #limits: SessionSocketLimits;
  readonly #server: WebSocketServer;
  readonly #connections = new Set<Connection>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: {
    readonly media: MediaService;
    readonly log: Log;
    readonly counts: ApiCounts;
    readonly limits?: SessionSocketLimits;
  }) {
    this.#media = options.media;
    this.#log = options.log;
    this.#counts = options.counts;
    this.#limits = options.limits ?? defaultSessionSocketLimits;
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: this.#limits.maxMessageBytes,
    });
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#check(), this.#limits.pingMs);
  }

  /** Closes every socket, at the latest after `closeMs`. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await Promise.all(
      [...this.#connections].map(
        (connection) =>
          new Promise<void>((resolve) => {
            connection.socket.once('close', () => resolve());
            this.#end(connection, closeCodes.goingAway, 'the device is stopping');
          }),
      ),
    );
  }

  /** Takes over an admitted upgrade request. */
  accept(request: IncomingMessage, duplex: Duplex, head: Buffer): void {
    this.#server.handleUpgrade(request, duplex, head, (socket) => this.#open(socket));
  }

  #open(socket: WebSocket): void {
    const connection: Connection = { socket, session: undefined, heard: true, messages: 0 };
    this.#connections.add(connection);
    this.#counts.socketsOpen += 1;
    this.#counts.socketsTotal += 1;
    socket.on('error', (error) =>
      this.#log.debug({ error: error.message }, 'session socket error'),
    );
    socket.on('pong', () => {
      connection.heard = true;
    });
    socket.on('message', (data, isBinary) => this.#receive(connection, data, isBinary));
    socket.once('close', (code) => {
      this.#connections.delete(connection);
      this.#counts.socketsOpen -= 1;
      connection.session?.close(`WebSocket closed (${code})`);
    });
    try {
      connection.session = this.#media.openSession({
        send: (message) => this.#send(connection, message),
        end: (reason) => this.#end(connection, closeCodes.normal, reason),
      });
    } catch (error) {
      const { code, message } = asEarshotError(error, this.#log);
      this.#send(connection, { type: 'error', code, message });
      const full = isEarshotError(error, 'MEDIA_TOO_MANY_VIEWERS');
      this.#end(connection, full ? closeCodes.tryAgain : closeCodes.policy, message);
    }
  }

  #receive(connection: Connection, data: WebSocket.RawData, isBinary: boolean): void {
    // What comes after the server began to close is not for the session.
    if (connection.socket.readyState !== connection.socket.OPEN) return;
    connection.heard = true;
    connection.messages += 1;
    if (isBinary) {
      this.#drop(connection, closeCodes.unsupported, 'messages are JSON text');
    } else if (connection.messages > this.#limits.maxMessages) {
      this.#drop(connection, closeCodes.policy, 'too many messages');
    } else {
      connection.session?.receive(data.toString());
    }
  }

  #send({ socket }: Connection, message: DeviceMessage): void {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > this.#limits.maxQueuedBytes) {
      this.#counts.socketsDropped += 1;
      socket.terminate();
      return;
    }
    socket.send(JSON.stringify(message));
  }

  /** Pings everybody, and lets go of those who did not answer the last one. */
  #check(): void {
    for (const connection of this.#connections) {
      if (!connection.heard) {
        this.#counts.socketsDropped += 1;
        connection.socket.terminate();
        continue;
      }
      connection.heard = false;
      connection.messages = 0;
      if (connection.socket.readyState === connection.socket.OPEN) connection.socket.ping();
    }
  }

  #drop(connection: Connection, code: number, reason: string): void {
    this.#counts.socketsDropped += 1;
    this.#end(connection, code, reason);
  }

  #end({ socket }: Connection, code: number, reason: string): void {
    // A close frame carries at most 123 bytes of reason (RFC 6455 §5.5).
    socket.close(
      code,
      Buffer.from(reason)
        .subarray(0, 120)
        .toString()
        .replace(/\uFFFD$/, ''),
    );
    const deadline = setTimeout(() => socket.terminate(), this.#limits.closeMs);
    socket.once('close', () => clearTimeout(deadline));
  }
}
