import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import * as v from 'valibot';
import type { Log } from '../log/log.ts';
import { fastLaneProtocol, maxFastLaneMessageBytes } from '../media/fast-lane-packets.ts';
import type { ApiCounts } from './api-counts.ts';
import { checkUpgradeQuery } from './query.ts';
import type { FastLaneDoor, MediaService } from './services.ts';
import {
  closeCodes,
  type SocketHandler,
  type WatchedSocket,
  type WatchedSocketLimits,
  WatchedSockets,
} from './watched-sockets.ts';

export interface FastLaneSocketLimits extends WatchedSocketLimits {
  /** By how much an answer to a ping may be late before no more sound is sent, in ms. */
  readonly maxLateMs: number;
}

export const defaultFastLaneSocketLimits: FastLaneSocketLimits = {
  pingMs: 5_000,
  maxMessageBytes: maxFastLaneMessageBytes,
  maxMessages: 500,
  maxQueuedBytes: 64 * 1024,
  closeMs: 2_000,
  maxLateMs: 500,
};

/** Query of the WebSocket: the session whose fast lane it is. */
const querySchema = v.strictObject({ session: v.pipe(v.string(), v.maxLength(64)) });

const refusesMessages: SocketHandler = { receive() {}, closed() {} };

/** The WebSockets of /api/v1/fast-lane (src/media/FAST-LANE.md): one a session, and it ends with it. */
export class FastLaneSockets {
  readonly #media: MediaService;
  readonly #limits: FastLaneSocketLimits;
  readonly #sockets: WatchedSockets;

  constructor(options: {
    readonly media: MediaService;
    readonly log: Log;
    readonly counts: ApiCounts;
    readonly limits?: FastLaneSocketLimits;
  }) {
    const { media, log, counts, limits = defaultFastLaneSocketLimits } = options;
    this.#media = media;
    this.#limits = limits;
    this.#sockets = new WatchedSockets({ log, counts, limits, protocol: fastLaneProtocol });
  }

  start(): void {
    this.#sockets.start();
  }

  /** Closes every socket, at the latest after `closeMs`. */
  stop(): Promise<void> {
    return this.#sockets.stop();
  }

  /** Takes over an admitted upgrade request. Throws API_QUERY_INVALID or MEDIA_SESSION_UNKNOWN. */
  accept(request: IncomingMessage, duplex: Duplex, head: Buffer): void {
    const { session } = checkUpgradeQuery(querySchema, request);
    const door = this.#media.fastLane(session);
    this.#sockets.accept({ request, duplex, head }, (socket) => this.#open(socket, door));
  }

  #open(socket: WatchedSocket, door: FastLaneDoor): SocketHandler {
    if (socket.protocol !== fastLaneProtocol) {
      socket.drop(closeCodes.protocol, `the subprotocol is ${fastLaneProtocol}`);
      return refusesMessages;
    }
    const connection = door.openSocket({
      maxRedundantBytes: maxFastLaneMessageBytes,
      send: (message) => this.#send(socket, message),
      end: (reason) => socket.end(closeCodes.normal, reason),
    });
    return {
      receive: (data, isBinary) => {
        if (!isBinary || !Buffer.isBuffer(data)) {
          socket.drop(closeCodes.unsupported, 'messages are binary');
          return;
        }
        socket.probe();
        connection.receive(data);
      },
      closed: () => connection.close(),
    };
  }

  /** Kernels keep seconds of sound for a path that takes none; how late pings are answered tells of it. */
  #send(socket: WatchedSocket, message: Uint8Array): boolean {
    const { maxQueuedBytes, maxLateMs } = this.#limits;
    if (!socket.isOpen || socket.lateMs > maxLateMs) return false;
    if (socket.queuedBytes + message.length > maxQueuedBytes) return false;
    socket.send(message);
    return true;
  }
}
