import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import * as v from 'valibot';
import { isEarshotError } from '../errors/earshot-error.ts';
import type { Log } from '../log/log.ts';
import type { DeviceMessage } from '../media/signaling-messages.ts';
import type { ApiCounts } from './api-counts.ts';
import { asEarshotError } from './error-response.ts';
import { checkUpgradeQuery } from './query.ts';
import type { MediaService, ViewerSession } from './services.ts';
import {
  closeCodes,
  type SocketHandler,
  type WatchedSocket,
  type WatchedSocketLimits,
  WatchedSockets,
} from './watched-sockets.ts';

export const defaultSessionSocketLimits: WatchedSocketLimits = {
  // A network that is away for ten seconds takes no session with it, and no microphone.
  pingMs: 15_000,
  maxMessageBytes: 64 * 1024,
  maxMessages: 500,
  maxQueuedBytes: 512 * 1024,
  closeMs: 2_000,
};

/** Query of the WebSocket: `sync=1` asks for sound and picture in step. */
const querySchema = v.strictObject({ sync: v.optional(v.picklist(['0', '1']), '0') });

/** The WebSockets of /api/v1/session: each drives one viewer session and ends with it. */
export class SessionSockets {
  readonly #media: MediaService;
  readonly #log: Log;
  readonly #limits: WatchedSocketLimits;
  readonly #sockets: WatchedSockets;

  constructor(options: {
    readonly media: MediaService;
    readonly log: Log;
    readonly counts: ApiCounts;
    readonly limits?: WatchedSocketLimits;
  }) {
    const { media, log, counts, limits = defaultSessionSocketLimits } = options;
    this.#media = media;
    this.#log = log;
    this.#limits = limits;
    this.#sockets = new WatchedSockets({ log, counts, limits });
  }

  start(): void {
    this.#sockets.start();
  }

  /** Closes every socket, at the latest after `closeMs`. */
  stop(): Promise<void> {
    return this.#sockets.stop();
  }

  /** Takes over an admitted upgrade request. */
  accept(request: IncomingMessage, duplex: Duplex, head: Buffer): void {
    const { sync } = checkUpgradeQuery(querySchema, request);
    this.#sockets.accept({ request, duplex, head }, (socket) => this.#open(socket, sync === '1'));
  }

  #open(socket: WatchedSocket, sync: boolean): SocketHandler {
    const session = this.#openSession(socket, sync);
    return {
      receive: (data, isBinary) => {
        if (isBinary) socket.drop(closeCodes.unsupported, 'messages are JSON text');
        else session?.receive(data.toString());
      },
      closed: (code) => session?.close(`WebSocket closed (${code})`),
    };
  }

  #openSession(socket: WatchedSocket, sync: boolean): ViewerSession | undefined {
    try {
      return this.#media.openSession({
        send: (message) => this.#send(socket, message),
        end: (reason) => socket.end(closeCodes.normal, reason),
        sync,
      });
    } catch (error) {
      const { code, message } = asEarshotError(error, this.#log);
      this.#send(socket, { type: 'error', code, message });
      const full = isEarshotError(error, 'MEDIA_TOO_MANY_VIEWERS');
      socket.end(full ? closeCodes.tryAgain : closeCodes.policy, message);
      return undefined;
    }
  }

  #send(socket: WatchedSocket, message: DeviceMessage): void {
    if (!socket.isOpen) return;
    if (socket.queuedBytes > this.#limits.maxQueuedBytes) socket.terminate();
    else socket.send(JSON.stringify(message));
  }
}
