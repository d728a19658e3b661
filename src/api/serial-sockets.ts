import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type * as v from 'valibot';
import type { ConsoleMessage, ConsoleRequest } from '../control/serial/console-messages.ts';
import {
  consoleProtocol,
  consoleRequestSchemas,
  maxConsoleMessageBytes,
} from '../control/serial/console-messages.ts';
import { checkInput, faultSentences } from '../errors/check-input.ts';
import { EarshotError, messageOf } from '../errors/earshot-error.ts';
import { valueWords } from '../errors/schema-words.ts';
import type { Log } from '../log/log.ts';
import type { ApiCounts } from './api-counts.ts';
import { asEarshotError } from './error-response.ts';
import { checkUpgradeQuery } from './query.ts';
import { noQuery } from './route.ts';
import type { SerialService, SerialViewer } from './services.ts';
import {
  closeCodes,
  type SocketHandler,
  type WatchedSocket,
  type WatchedSocketLimits,
  WatchedSockets,
} from './watched-sockets.ts';

export const defaultSerialSocketLimits: WatchedSocketLimits = {
  pingMs: 15_000,
  maxMessageBytes: maxConsoleMessageBytes,
  // Somebody who types sends a message a key; one who holds a key down, thirty a second.
  maxMessages: 30_000,
  maxQueuedBytes: 256 * 1024,
  closeMs: 2_000,
};

const refusesMessages: SocketHandler = { receive() {}, closed() {} };

/** The WebSockets of /api/v1/serial/console (src/control/serial/CONSOLE-PROTOCOL.md). */
export class SerialSockets {
  readonly #serial: SerialService;
  readonly #log: Log;
  readonly #limits: WatchedSocketLimits;
  readonly #sockets: WatchedSockets;

  constructor(options: {
    readonly serial: SerialService;
    readonly log: Log;
    readonly counts: ApiCounts;
    readonly limits?: WatchedSocketLimits;
  }) {
    const { serial, log, counts, limits = defaultSerialSocketLimits } = options;
    this.#serial = serial;
    this.#log = log;
    this.#limits = limits;
    this.#sockets = new WatchedSockets({ log, counts, limits, protocol: consoleProtocol });
  }

  start(): void {
    this.#sockets.start();
  }

  /** Closes every socket, at the latest after `closeMs`. */
  stop(): Promise<void> {
    return this.#sockets.stop();
  }

  /** Takes over an admitted upgrade request. Throws API_QUERY_INVALID or SERIAL_NOT_CONFIGURED. */
  accept(request: IncomingMessage, duplex: Duplex, head: Buffer): void {
    checkUpgradeQuery(noQuery, request);
    this.#serial.assertConfigured();
    this.#sockets.accept({ request, duplex, head }, (socket) => this.#open(socket));
  }

  #open(socket: WatchedSocket): SocketHandler {
    if (socket.protocol !== consoleProtocol) {
      socket.drop(closeCodes.protocol, `the subprotocol is ${consoleProtocol}`);
      return refusesMessages;
    }
    const viewer = this.#openViewer(socket);
    if (viewer === undefined) return refusesMessages;
    return {
      receive: (data, isBinary) => {
        if (!Buffer.isBuffer(data)) return;
        const done = isBinary ? this.#write(viewer, data) : this.#obey(viewer, data.toString());
        done.catch((error: unknown) => {
          const { code, message } = asEarshotError(error, this.#log);
          this.#tell(socket, { type: 'error', code, message });
        });
      },
      closed: () => viewer.close(),
    };
  }

  #openViewer(socket: WatchedSocket): SerialViewer | undefined {
    try {
      return this.#serial.openViewer({
        send: (bytes, sent) => socket.send(bytes, sent),
        tell: (message) => this.#tell(socket, message),
      });
    } catch (error) {
      const { code, message } = asEarshotError(error, this.#log);
      this.#tell(socket, { type: 'error', code, message });
      socket.end(closeCodes.tryAgain, message);
      return undefined;
    }
  }

  async #write(viewer: SerialViewer, bytes: Uint8Array): Promise<void> {
    viewer.write(bytes);
  }

  async #obey(viewer: SerialViewer, text: string): Promise<void> {
    const request = readRequest(text);
    switch (request.type) {
      case 'writer':
        if (request.wanted) viewer.takeWriter(request.takeover);
        else viewer.releaseWriter();
        return;
      case 'break':
        return viewer.sendBreak(request.ms);
      case 'signals':
        return viewer.setSignals(request);
    }
  }

  #tell(socket: WatchedSocket, message: ConsoleMessage): void {
    if (!socket.isOpen) return;
    if (socket.queuedBytes > this.#limits.maxQueuedBytes) socket.terminate();
    else socket.send(JSON.stringify(message));
  }
}

/** Throws SERIAL_MESSAGE_INVALID. */
function readRequest(text: string): ConsoleRequest {
  const input = parseJson(text);
  const type = typeof input === 'object' && input !== null && 'type' in input ? input.type : '';
  const schemas: Readonly<Record<string, v.GenericSchema<unknown, ConsoleRequest>>> =
    consoleRequestSchemas;
  const schema = Object.hasOwn(schemas, String(type)) ? schemas[String(type)] : undefined;
  if (schema === undefined) {
    const known = Object.keys(schemas).join(', ');
    throw invalid(`type: ${valueWords(type)} is not allowed; expected one of ${known}`);
  }
  const result = checkInput(schema, input);
  if (result.ok) return result.value;
  throw invalid(faultSentences(result.faults));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid(`The message is not JSON: ${messageOf(cause)}.`, cause);
  }
}

function invalid(message: string, cause?: unknown): EarshotError {
  return new EarshotError('SERIAL_MESSAGE_INVALID', message, { cause });
}
