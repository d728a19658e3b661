import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import * as v from 'valibot';
import type { Log } from '../log/log.ts';
import type { ApiCounts } from './api-counts.ts';
import { checkUpgradeQuery } from './query.ts';
import {
  closeCodes,
  type SocketHandler,
  type WatchedSocket,
  type WatchedSocketLimits,
  WatchedSockets,
} from './watched-sockets.ts';

/** Query of the WebSocket: the session that it belongs to. */
const querySchema = v.strictObject({ session: v.pipe(v.string(), v.maxLength(64)) });

const refusesMessages: SocketHandler = { receive() {}, closed() {} };

export interface LaneSocketsOptions<Door> {
  readonly log: Log;
  readonly counts: ApiCounts;
  readonly limits: WatchedSocketLimits;
  /** The one subprotocol that is spoken. */
  readonly protocol: string;
  /** Where a session takes such a WebSocket; what it throws refuses the upgrade. */
  readonly door: (session: string) => Door;
  /** Hands an open one over; messages are binary, and valid during the call only. */
  readonly open: (
    socket: WatchedSocket,
    door: Door,
  ) => { receive(message: Buffer): void; close(): void };
}

/** WebSockets that belong to a session and carry binary messages of one subprotocol: one a session, and it ends with it. */
export class LaneSockets<Door> {
  readonly #options: LaneSocketsOptions<Door>;
  readonly #sockets: WatchedSockets;

  constructor(options: LaneSocketsOptions<Door>) {
    const { log, counts, limits, protocol } = options;
    this.#options = options;
    this.#sockets = new WatchedSockets({ log, counts, limits, protocol });
  }

  start(): void {
    this.#sockets.start();
  }

  /** Closes every socket, at the latest after `closeMs`. */
  stop(): Promise<void> {
    return this.#sockets.stop();
  }

  /** Takes over an admitted upgrade request. Throws API_QUERY_INVALID, or what the session's door does. */
  accept(request: IncomingMessage, duplex: Duplex, head: Buffer): void {
    const { session } = checkUpgradeQuery(querySchema, request);
    const door = this.#options.door(session);
    this.#sockets.accept({ request, duplex, head }, (socket) => this.#open(socket, door));
  }

  #open(socket: WatchedSocket, door: Door): SocketHandler {
    const { protocol, open } = this.#options;
    if (socket.protocol !== protocol) {
      socket.drop(closeCodes.protocol, `the subprotocol is ${protocol}`);
      return refusesMessages;
    }
    const connection = open(socket, door);
    return {
      receive: (data, isBinary) => {
        if (isBinary && Buffer.isBuffer(data)) connection.receive(data);
        else socket.drop(closeCodes.unsupported, 'messages are binary');
      },
      closed: () => connection.close(),
    };
  }
}
