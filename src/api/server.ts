import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener, RequestError } from '@hono/node-server';
import { EarshotError } from '../errors/earshot-error.ts';
import type { Log } from '../log/log.ts';
import { admit, type ListenerKind, ownNames } from './admission.ts';
import { ApiCounts, type ApiStats } from './api-counts.ts';
import { createApp } from './app.ts';
import { asEarshotError, errorBody, writeError } from './error-response.ts';
import { EventStreams } from './event-streams.ts';
import {
  closeServer,
  createHttpServer,
  defaultHttpLimits,
  type HttpLimits,
  listenTcp,
  listenUnix,
} from './http-listener.ts';
import { LogStreams } from './log-streams.ts';
import { isLoopback } from './loopback.ts';
import { loadPageFiles } from './page-files.ts';
import type { RouteEnv } from './route.ts';
import { routes, sessionPath } from './routes/all.ts';
import type { Status } from './schema.ts';
import { securityHeaders } from './security-headers.ts';
import type { Services } from './services.ts';
import { type SessionSocketLimits, SessionSockets } from './session-sockets.ts';
import type { TextStreamLimits } from './text-stream.ts';

/** The status that counts requests whose client left before the answer, as nginx numbers it. */
const clientGone = 499;

export interface ApiServerOptions {
  /** Address and TCP port to listen on; port 0 takes a free one. */
  readonly listen: string;
  readonly port: number;
  /** Host names beside the machine's own (admission.ts). */
  readonly allowedHosts: readonly string[];
  /** Path of the control socket. */
  readonly controlSocket: string;
  /** Directory of the built page. */
  readonly webRoot: string;
  readonly services: Services;
  readonly log: Log;
  readonly version: string;
  /** Bounds that tests narrow. */
  readonly limits?: {
    readonly http?: Partial<HttpLimits>;
    readonly streams?: TextStreamLimits;
    readonly sessions?: SessionSocketLimits;
    /** How long a route may take, in ms; 15,000 unless told otherwise. */
    readonly routeMs?: number;
  };
}

/** The HTTP API, the page and the session WebSocket, on TCP and on the control socket. */
export class ApiServer {
  readonly #options: ApiServerOptions;
  readonly #counts = new ApiCounts();
  readonly #names: ReadonlySet<string>;
  readonly #events: EventStreams;
  readonly #logs: LogStreams;
  readonly #sockets: SessionSockets;
  #servers: readonly Server[] = [];
  #address: AddressInfo | undefined;

  constructor(options: ApiServerOptions) {
    const { services, log, limits = {} } = options;
    const counts = this.#counts;
    const streams = limits.streams === undefined ? {} : { limits: limits.streams };
    const sessions = limits.sessions === undefined ? {} : { limits: limits.sessions };
    this.#options = options;
    this.#names = ownNames(options.allowedHosts);
    this.#events = new EventStreams({ services, counts, ...streams });
    this.#logs = new LogStreams({ logs: services.logs, counts, ...streams });
    this.#sockets = new SessionSockets({ media: services.media, log, counts, ...sessions });
  }

  /** Whether only this machine can connect. */
  get localOnly(): boolean {
    return isLoopback(this.#options.listen);
  }

  /** The address listened on; throws before `start()`. */
  address(): { readonly address: string; readonly port: number } {
    if (this.#address === undefined) throw new Error('the server does not listen');
    return { address: this.#address.address, port: this.#address.port };
  }

  /** What to type into a browser on this machine, e.g. `http://127.0.0.1:8080/`. */
  url(): string {
    const { address, port } = this.address();
    const wild = address === '0.0.0.0' || address === '::';
    const host = wild ? 'localhost' : isIPv6(address) ? `[${address}]` : address;
    return `http://${host}:${port}/`;
  }

  stats(): ApiStats {
    return this.#counts.stats();
  }

  /** Listens. Throws API_PORT_IN_USE or API_LISTEN_FAILED and leaves nothing open then. */
  async start(): Promise<void> {
    const { controlSocket, listen, port, log, webRoot } = this.#options;
    const page = await loadPageFiles(webRoot);
    if (!page.has('/')) log.warn({ webRoot }, 'the page is not built: only the API is served');
    const app = createApp({
      routes,
      page,
      log,
      context: {
        services: this.#options.services,
        eventStreams: this.#events,
        logStreams: this.#logs,
        status: () => this.#status(),
      },
      deadlineMs: this.#options.limits?.routeMs ?? 15_000,
    });
    const fetch = (request: Request, env: RouteEnv['Bindings']) => app.fetch(request, env);
    const control = this.#createServer('control', fetch);
    const tcp = this.#createServer('tcp', fetch);
    try {
      await listenUnix(control, controlSocket);
      this.#address = await listenTcp(tcp, { host: listen, port });
    } catch (error) {
      await Promise.all([closeServer(control), closeServer(tcp)]);
      throw error;
    }
    this.#servers = [tcp, control];
    this.#events.start();
    this.#sockets.start();
    log.info({ url: this.url(), controlSocket, localOnly: this.localOnly }, 'listening');
    if (!this.localOnly) {
      log.warn(
        { listen },
        'reachable from other machines, and there are no accounts yet: anyone there can listen',
      );
    }
  }

  /** Ends every stream, WebSocket and connection, and removes the control socket. Idempotent. */
  async stop(): Promise<void> {
    this.#events.stop();
    this.#logs.stop();
    await this.#sockets.stop();
    await Promise.all(this.#servers.map(closeServer));
    this.#servers = [];
  }

  #status(): Status {
    const { services, version } = this.#options;
    return {
      version,
      uptimeMs: Math.round(process.uptime() * 1_000),
      localOnly: this.localOnly,
      audio: services.audio.status(),
      microphone: services.microphone.status(),
      children: [...services.children.statuses()],
      sessions: [...services.media.sessions()],
    };
  }

  #createServer(
    listener: ListenerKind,
    fetch: (request: Request, env: RouteEnv['Bindings']) => Response | Promise<Response>,
  ): Server {
    const serve = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
      const env: RouteEnv['Bindings'] = { incoming, outgoing, listener };
      this.#countWhenDone(env);
      for (const [name, value] of Object.entries(securityHeaders)) outgoing.setHeader(name, value);
      try {
        this.#admit(listener, incoming, false);
      } catch (error) {
        writeError(outgoing, asEarshotError(error, this.#options.log));
        return;
      }
      const answer = getRequestListener((request) => fetch(request, env), {
        overrideGlobalObjects: false,
        errorHandler: (error) => this.#adapterAnswer(error),
      });
      void answer(incoming, outgoing);
    };
    return createHttpServer(
      {
        request: serve,
        upgrade: (incoming, socket, head) => this.#upgrade(listener, incoming, socket, head),
      },
      { ...defaultHttpLimits, ...this.#options.limits?.http },
    );
  }

  /** What could not be handed to a route: in practice a URL that is none, such as `*`. */
  #adapterAnswer(error: unknown): Response {
    const refused =
      error instanceof RequestError
        ? new EarshotError('API_NOT_FOUND', 'The URL of the request names no route.')
        : asEarshotError(error, this.#options.log);
    return Response.json(errorBody(refused), { status: refused.httpStatus });
  }

  #countWhenDone(env: RouteEnv['Bindings']): void {
    const { incoming, outgoing } = env;
    outgoing.once('close', () => {
      const { method = '' } = incoming;
      const status = outgoing.headersSent ? outgoing.statusCode : clientGone;
      this.#counts.countRequest({ method, route: env.route ?? 'other', status });
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
      this.#names,
    );
  }

  #upgrade(listener: ListenerKind, incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    try {
      this.#admit(listener, incoming, true);
      if ((incoming.url ?? '').split('?')[0] !== sessionPath) {
        throw new EarshotError(
          'API_NOT_FOUND',
          `There is no WebSocket here; it is ${sessionPath}.`,
        );
      }
      this.#sockets.accept(incoming, socket, head);
    } catch (error) {
      refuseUpgrade(socket, asEarshotError(error, this.#options.log));
    }
  }
}

function refuseUpgrade(socket: Duplex, error: EarshotError): void {
  const body = JSON.stringify(errorBody(error));
  const head = [
    `HTTP/1.1 ${error.httpStatus} Refused`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
