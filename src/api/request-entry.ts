import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { getRequestListener, RequestError } from '@hono/node-server';
import { EarshotError } from '../errors/earshot-error.ts';
import type { Log } from '../log/log.ts';
import { admit, admitHost, type ListenerKind } from './admission.ts';
import type { ApiCounts } from './api-counts.ts';
import { asEarshotError, errorBody, writeError } from './error-response.ts';
import type { HttpHandlers } from './http-listener.ts';
import { httpsLocation } from './https-redirect.ts';
import { isLoopback } from './loopback.ts';
import type { RouteEnv } from './route.ts';
import { securityHeaders } from './security-headers.ts';

/** The status that counts requests whose client left before the answer, as nginx numbers it. */
const clientGone = 499;

/** Where an admitted request for a WebSocket goes. */
export interface UpgradeTarget {
  /** Takes it over, or throws why not. */
  accept(request: IncomingMessage, duplex: Duplex, head: Buffer): void;
}

export interface RequestEntryOptions {
  /** Answers what was let in. */
  readonly fetch: (request: Request, env: RouteEnv['Bindings']) => Response | Promise<Response>;
  /** By path. */
  readonly sockets: ReadonlyMap<string, UpgradeTarget>;
  readonly names: ReadonlySet<string>;
  readonly counts: ApiCounts;
  readonly log: Log;
  /** The port plain HTTP is sent to. */
  readonly httpsPort: () => number;
  /** Headers of every answer over HTTPS, beside {@link securityHeaders}. */
  readonly httpsHeaders: Readonly<Record<string, string>>;
}

/** Where requests come in: lets them in, sends them on to HTTPS, or refuses them. */
export class RequestEntry {
  readonly #options: RequestEntryOptions;

  constructor(options: RequestEntryOptions) {
    this.#options = options;
  }

  handlers(listener: ListenerKind): HttpHandlers {
    return {
      request: (incoming, outgoing) => this.#request(listener, incoming, outgoing),
      upgrade: (incoming, socket, head) => this.#upgrade(listener, incoming, socket, head),
    };
  }

  #request(listener: ListenerKind, incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { fetch, httpsHeaders, log } = this.#options;
    const env: RouteEnv['Bindings'] = { incoming, outgoing, listener };
    this.#countWhenDone(env);
    const own = listener === 'https' ? httpsHeaders : {};
    for (const [name, value] of Object.entries({ ...securityHeaders, ...own })) {
      outgoing.setHeader(name, value);
    }
    try {
      if (fromElsewhere(listener, incoming)) {
        this.#redirect(env);
        return;
      }
      this.#admit(listener, incoming, false);
    } catch (error) {
      writeError(outgoing, asEarshotError(error, log));
      return;
    }
    const answer = getRequestListener((request) => fetch(request, env), {
      overrideGlobalObjects: false,
      errorHandler: (error) => this.#adapterAnswer(error),
    });
    void answer(incoming, outgoing);
  }

  /** 308 keeps the method and the body (RFC 9110 §15.4.9); nothing of the request is looked at but where it goes. */
  #redirect(env: RouteEnv['Bindings']): void {
    const { incoming, outgoing } = env;
    const location = this.#location(incoming, incoming.url);
    env.route = 'redirect';
    outgoing.writeHead(308, { location, 'content-length': 0, connection: 'close' });
    outgoing.end();
  }

  /** Where `target` of the host that was asked is over HTTPS. Throws API_HOST_REFUSED or API_NOT_FOUND. */
  #location({ headers: { host = '' } }: IncomingMessage, target = ''): string {
    admitHost(host, this.#options.names);
    const location = httpsLocation({ host, target, port: this.#options.httpsPort() });
    if (location === undefined) throw noRoute();
    return location;
  }

  /** What could not be handed to a route: in practice a URL that is none, such as `*`. */
  #adapterAnswer(error: unknown): Response {
    const refused =
      error instanceof RequestError ? noRoute() : asEarshotError(error, this.#options.log);
    return Response.json(errorBody(refused), { status: refused.httpStatus });
  }

  #countWhenDone(env: RouteEnv['Bindings']): void {
    const { incoming, outgoing } = env;
    outgoing.once('close', () => {
      const { method = '' } = incoming;
      const status = outgoing.headersSent ? outgoing.statusCode : clientGone;
      this.#options.counts.countRequest({ method, route: env.route ?? 'other', status });
    });
  }

  #admit(
    listener: ListenerKind,
    { method = '', headers }: IncomingMessage,
    upgrade: boolean,
  ): void {
    const site = headers['sec-fetch-site'];
    admit(
      {
        listener,
        method,
        upgrade,
        host: headers.host,
        origin: headers.origin,
        fetchSite: typeof site === 'string' ? site : undefined,
      },
      this.#options.names,
    );
  }

  #upgrade(listener: ListenerKind, incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    try {
      if (fromElsewhere(listener, incoming)) {
        this.#redirectUpgrade(incoming, socket);
        return;
      }
      this.#admit(listener, incoming, true);
      const { sockets } = this.#options;
      const target = sockets.get(pathOf(incoming));
      if (target === undefined) {
        throw new EarshotError(
          'API_NOT_FOUND',
          `There is no WebSocket here; there are ${[...sockets.keys()].join(' and ')}.`,
        );
      }
      target.accept(incoming, socket, head);
    } catch (error) {
      refuseUpgrade(socket, asEarshotError(error, this.#options.log));
    }
  }

  /**
   * Browsers follow no redirect of a WebSocket, so the way is told in words. Any other upgrade, such as
   * to HTTP/2, is only an offer (RFC 9110 §7.8): it is a request like every other.
   */
  #redirectUpgrade(incoming: IncomingMessage, socket: Duplex): void {
    if (!/^websocket$/i.test(incoming.headers.upgrade ?? '')) {
      const location = this.#location(incoming, incoming.url);
      endUpgrade(socket, '308 Permanent Redirect', [`location: ${location}`]);
      return;
    }
    const path = pathOf(incoming);
    const [main = path] = this.#options.sockets.keys();
    const target = this.#options.sockets.has(path) ? path : main;
    const url = this.#location(incoming, target).replace(/^https/, 'wss');
    throw new EarshotError(
      'API_HTTPS_ONLY',
      `Plain HTTP serves this machine only; open the WebSocket at ${url}.`,
      { details: { url } },
    );
  }
}

/**
 * Plain HTTP from another machine: anybody on the way can read and change it, and browsers give such a
 * page no microphone. They trust loopback, which never leaves the machine.
 */
function fromElsewhere(listener: ListenerKind, { socket }: IncomingMessage): boolean {
  const { remoteAddress } = socket;
  return listener === 'http' && (remoteAddress === undefined || !isLoopback(remoteAddress));
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?')[0] ?? '';
}

function noRoute(): EarshotError {
  return new EarshotError('API_NOT_FOUND', 'The URL of the request names no route.');
}

function refuseUpgrade(socket: Duplex, error: EarshotError): void {
  const body = JSON.stringify(errorBody(error));
  endUpgrade(socket, `${error.httpStatus} Refused`, ['content-type: application/json'], body);
}

/** Answers an upgrade with something else than the protocol it asked for. */
function endUpgrade(socket: Duplex, status: string, headers: readonly string[], body = ''): void {
  const head = [
    `HTTP/1.1 ${status}`,
    ...headers,
    'cache-control: no-store',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
