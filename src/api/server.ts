import type { Server } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import { join } from 'node:path';
import type { Log } from '../log/log.ts';
import { DeviceCertificate } from '../tls/device-certificate.ts';
import { deviceNames } from '../tls/device-names.ts';
import type { IdentitySource } from '../tls/identity.ts';
import { OwnCertificate } from '../tls/own-certificate.ts';
import { ownNames } from './admission.ts';
import { ApiCounts, type ApiStats } from './api-counts.ts';
import { createApp } from './app.ts';
import { BearerToken } from './bearer-token.ts';
import { EventStreams } from './event-streams.ts';
import { type FastLaneSocketLimits, FastLaneSockets } from './fast-lane-sockets.ts';
import { HidSockets } from './hid-sockets.ts';
import {
  closeServer,
  createHttpServer,
  defaultHttpLimits,
  type HttpLimits,
  listenTcp,
  listenUnix,
} from './http-listener.ts';
import { HttpsListener } from './https-listener.ts';
import { strictTransportSecurity } from './https-redirect.ts';
import { LogStreams } from './log-streams.ts';
import { isLoopback } from './loopback.ts';
import { openApiText } from './openapi.ts';
import { loadPageFiles, type PageFile } from './page-files.ts';
import { RequestEntry, type UpgradeTarget } from './request-entry.ts';
import { routes } from './routes/all.ts';
import type { Status } from './schema.ts';
import { SerialSockets } from './serial-sockets.ts';
import type { Services } from './services.ts';
import { SessionSockets } from './session-sockets.ts';
import { SharedConnections } from './shared-connections.ts';
import { fastLanePath, hidPath, serialConsolePath, sessionPath } from './socket-paths.ts';
import type { TextStreamLimits } from './text-stream.ts';
import { TraceStreams } from './trace-streams.ts';
import type { WatchedSocketLimits } from './watched-sockets.ts';

export interface ApiServerOptions {
  /** Address and TCP port to listen on; port 0 takes a free one. */
  readonly listen: string;
  readonly port: number;
  /** The HTTPS port, on the same address (0: a free one), and the owner's own PEM files, or two empty paths. */
  readonly https: { readonly port: number; readonly certificate: string; readonly key: string };
  /** Directory that keeps the device's certificate, in `tls/`. */
  readonly dataDir: string;
  /** Host names beside the machine's own (admission.ts). */
  readonly allowedHosts: readonly string[];
  /** What WHEP players send; empty: there is no WHEP. */
  readonly whepToken?: string;
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
    /** How often the certificate is looked at, in ms. */
    readonly certificate?: { readonly checkMs: number };
    readonly streams?: TextStreamLimits;
    readonly sessions?: WatchedSocketLimits;
    readonly fastLanes?: FastLaneSocketLimits;
    readonly hid?: WatchedSocketLimits;
    readonly serial?: WatchedSocketLimits;
    /** How long a route may take, in ms; 15,000 unless told otherwise. */
    readonly routeMs?: number;
  };
}

/** The HTTP API, the page and the WebSockets: HTTPS, plain HTTP for this machine, and the control socket. */
export class ApiServer {
  readonly #options: ApiServerOptions;
  readonly #counts = new ApiCounts();
  readonly #names: ReadonlySet<string>;
  readonly #events: EventStreams;
  readonly #logs: LogStreams;
  readonly #traces: TraceStreams;
  readonly #sessions: SessionSockets;
  readonly #fastLanes: FastLaneSockets;
  readonly #hid: HidSockets;
  readonly #serial: SerialSockets;
  readonly #identities: IdentitySource;
  #servers: readonly Server[] = [];
  /** Made when somebody asks for it, which few do. */
  #openApi: Promise<string> | undefined;
  #connections: SharedConnections | undefined;
  #https: HttpsListener | undefined;
  #address: AddressInfo | undefined;

  constructor(options: ApiServerOptions) {
    const { services, log, limits = {} } = options;
    const counts = this.#counts;
    const streams = limits.streams === undefined ? {} : { limits: limits.streams };
    const sessions = limits.sessions === undefined ? {} : { limits: limits.sessions };
    const fastLanes = limits.fastLanes === undefined ? {} : { limits: limits.fastLanes };
    const hid = limits.hid === undefined ? {} : { limits: limits.hid };
    const serial = limits.serial === undefined ? {} : { limits: limits.serial };
    this.#options = options;
    this.#names = ownNames(options.allowedHosts);
    this.#identities = this.#createIdentities();
    this.#events = new EventStreams({ services, counts, ...streams });
    this.#logs = new LogStreams({ logs: services.logs, counts, ...streams });
    this.#traces = new TraceStreams({ trace: services.trace, counts });
    const { media } = services;
    this.#sessions = new SessionSockets({ media, log, counts, ...sessions });
    this.#fastLanes = new FastLaneSockets({ media, log, counts, ...fastLanes });
    this.#hid = new HidSockets({ media, log, counts, ...hid });
    this.#serial = new SerialSockets({ serial: services.serial, log, counts, ...serial });
  }

  get #ownCertificate(): boolean {
    return this.#options.https.certificate !== '';
  }

  #createIdentities(): IdentitySource {
    const { dataDir, https, log } = this.#options;
    if (this.#ownCertificate) return new OwnCertificate({ ...https, log });
    return new DeviceCertificate({
      directory: join(dataDir, 'tls'),
      names: () => deviceNames(this.#names),
      log,
    });
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

  /**
   * Listens. Throws API_PORT_IN_USE, API_LISTEN_FAILED, or CONFIG_INVALID for the owner's certificate,
   * and leaves nothing open then.
   */
  async start(): Promise<void> {
    const { controlSocket, listen, port, log, webRoot } = this.#options;
    // The owner's own is part of the configuration: a fault of it stands before everything else.
    const owners = this.#ownCertificate ? await this.#identities.load() : undefined;
    const page = await loadPageFiles(webRoot);
    if (!page.has('/')) log.warn({ webRoot }, 'the page is not built: only the API is served');
    const entry = this.#createEntry(page);
    const limits = { ...defaultHttpLimits, ...this.#options.limits?.http };
    const connections = new SharedConnections(limits.maxConnections);
    const control = createHttpServer(entry.handlers('control'), limits);
    const http = createHttpServer(entry.handlers('http'), limits);
    connections.add(http);
    this.#servers = [http, control];
    this.#connections = connections;
    this.#https = new HttpsListener({
      host: listen,
      port: this.#options.https.port,
      source: this.#identities,
      handlers: entry.handlers('https'),
      limits,
      connections,
      counts: this.#counts,
      log,
      ...this.#options.limits?.certificate,
    });
    try {
      await listenUnix(control, controlSocket);
      this.#address = await listenTcp(http, { host: listen, port, portKey: 'http.port' });
      this.#events.start();
      this.#sessions.start();
      this.#fastLanes.start();
      this.#hid.start();
      this.#serial.start();
      // Making the device's certificate may take a slow disk a while; these two need none.
      await this.#https.start(owners ?? (await this.#identities.load()));
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#logListening();
  }

  /** Ends every stream, WebSocket and connection, and removes the control socket. Idempotent. */
  async stop(): Promise<void> {
    this.#events.stop();
    this.#logs.stop();
    this.#traces.stop();
    const sockets = [this.#sessions, this.#fastLanes, this.#hid, this.#serial];
    await Promise.all(sockets.map((each) => each.stop()));
    const servers = this.#servers;
    this.#servers = [];
    const closed = [...servers.map(closeServer), this.#https?.stop()];
    this.#connections?.closeAll();
    await Promise.all(closed);
  }

  #logListening(): void {
    const { controlSocket, listen, log } = this.#options;
    const { url: httpsUrl, fingerprint256 } = this.#https?.status() ?? {};
    log.info(
      { url: this.url(), httpsUrl, fingerprint256, controlSocket, localOnly: this.localOnly },
      'listening',
    );
    if (!this.localOnly) {
      log.warn(
        { listen },
        'reachable from other machines, and there are no accounts yet: anyone there can listen',
      );
    }
  }

  #status(): Status {
    const { services, version } = this.#options;
    return {
      version,
      uptimeMs: Math.round(process.uptime() * 1_000),
      localOnly: this.localOnly,
      https: this.#https?.status() ?? null,
      audio: services.audio.status(),
      microphone: services.microphone.status(),
      video: services.video.status(),
      children: [...services.children.statuses()],
      sessions: [...services.media.sessions()],
    };
  }

  #createEntry(page: ReadonlyMap<string, PageFile>): RequestEntry {
    const { https, limits, log, port, services, version, whepToken = '' } = this.#options;
    const app = createApp({
      routes,
      page,
      log,
      context: {
        services,
        eventStreams: this.#events,
        logStreams: this.#logs,
        traceStreams: this.#traces,
        status: () => this.#status(),
        openApi: () => {
          this.#openApi ??= openApiText({ routes, version });
          return this.#openApi;
        },
        whepToken: whepToken === '' ? undefined : new BearerToken(whepToken),
      },
      deadlineMs: limits?.routeMs ?? 15_000,
    });
    const transport = strictTransportSecurity({
      own: this.#ownCertificate,
      httpPort: port,
      httpsPort: https.port,
    });
    return new RequestEntry({
      fetch: (request, env) => app.fetch(request, env),
      sockets: new Map<string, UpgradeTarget>([
        [sessionPath, this.#sessions],
        [fastLanePath, this.#fastLanes],
        [hidPath, this.#hid],
        [serialConsolePath, this.#serial],
      ]),
      names: this.#names,
      counts: this.#counts,
      log,
      httpsPort: () => this.#https?.port || https.port,
      httpsHeaders: transport === undefined ? {} : { 'strict-transport-security': transport },
    });
  }
}
