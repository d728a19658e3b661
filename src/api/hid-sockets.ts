import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import * as v from 'valibot';
import type { Log } from '../log/log.ts';
import { hidProtocol, maxHidMessageBytes } from '../media/hid-channels.ts';
import type { ApiCounts } from './api-counts.ts';
import { checkUpgradeQuery } from './query.ts';
import type { HidDoor, MediaService } from './services.ts';
import {
  closeCodes,
  type SocketHandler,
  type WatchedSocket,
  type WatchedSocketLimits,
  WatchedSockets,
} from './watched-sockets.ts';

export const defaultHidSocketLimits: WatchedSocketLimits = {
  pingMs: 5_000,
  maxMessageBytes: maxHidMessageBytes.maxMessageBytes,
  // A pointer's 1,000 a second and the keys beside it; what is over the limits of each is dropped before.
  maxMessages: 20_000,
  maxQueuedBytes: 64 * 1024,
  closeMs: 2_000,
};

/** Query of the WebSocket: the session whose keyboard and pointer it is. */
const querySchema = v.strictObject({ session: v.pipe(v.string(), v.maxLength(64)) });

const refusesMessages: SocketHandler = { receive() {}, closed() {} };

/** The WebSockets of /api/v1/hid (src/control/hid/PROTOCOL.md): one a session, and it ends with it. */
export class HidSockets {
  readonly #media: MediaService;
  readonly #limits: WatchedSocketLimits;
  readonly #sockets: WatchedSockets;

  constructor(options: {
    readonly media: MediaService;
    readonly log: Log;
    readonly counts: ApiCounts;
    readonly limits?: WatchedSocketLimits;
  }) {
    const { media, log, counts, limits = defaultHidSocketLimits } = options;
    this.#media = media;
    this.#limits = limits;
    this.#sockets = new WatchedSockets({ log, counts, limits, protocol: hidProtocol });
  }

  start(): void {
    this.#sockets.start();
  }

  /** Closes every socket, at the latest after `closeMs`. */
  stop(): Promise<void> {
    return this.#sockets.stop();
  }

  /** Takes over an admitted upgrade request. Throws API_QUERY_INVALID, MEDIA_SESSION_UNKNOWN or HID_NOT_CONFIGURED. */
  accept(request: IncomingMessage, duplex: Duplex, head: Buffer): void {
    const { session } = checkUpgradeQuery(querySchema, request);
    const door = this.#media.hid(session);
    this.#sockets.accept({ request, duplex, head }, (socket) => this.#open(socket, door));
  }

  #open(socket: WatchedSocket, door: HidDoor): SocketHandler {
    if (socket.protocol !== hidProtocol) {
      socket.drop(closeCodes.protocol, `the subprotocol is ${hidProtocol}`);
      return refusesMessages;
    }
    const connection = door.openSocket({
      send: (message) => this.#send(socket, message),
      end: (reason) => socket.end(closeCodes.normal, reason),
    });
    return {
      receive: (data, isBinary) => {
        if (isBinary && Buffer.isBuffer(data)) connection.receive(data);
        else socket.drop(closeCodes.unsupported, 'messages are binary');
      },
      closed: () => connection.close(),
    };
  }

  /** What the device says is in order and complete: a viewer that does not take it is let go of, and its keys with it. */
  #send(socket: WatchedSocket, message: Uint8Array): boolean {
    if (!socket.isOpen) return false;
    if (socket.queuedBytes + message.length > this.#limits.maxQueuedBytes) {
      socket.terminate();
      return false;
    }
    socket.send(message);
    return true;
  }
}
