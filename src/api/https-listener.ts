import type { Server } from 'node:https';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { messageOf } from '../errors/earshot-error.ts';
import type { Log } from '../log/log.ts';
import type { IdentitySource, TlsIdentity } from '../tls/identity.ts';
import type { ApiCounts } from './api-counts.ts';
import {
  closeServer,
  createHttpsServer,
  type HttpHandlers,
  type HttpLimits,
  listenTcp,
} from './http-listener.ts';
import { httpsOrigin } from './https-redirect.ts';
import type { HttpsStatus } from './schema.ts';
import type { SharedConnections } from './shared-connections.ts';

/**
 * How often the certificate is looked at, in ms: daily would do for its end, but a device may get its
 * address and the right time a while after its start.
 */
const checkEveryMs = 60_000;

export interface HttpsListenerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly source: IdentitySource;
  readonly handlers: HttpHandlers;
  readonly limits: HttpLimits;
  readonly connections: SharedConnections;
  readonly counts: ApiCounts;
  readonly log: Log;
  /** {@link checkEveryMs} unless told otherwise. */
  readonly checkMs?: number;
}

/** The HTTPS server: TLS 1.2 or newer, with a certificate that can change while it runs. */
export class HttpsListener {
  readonly #options: HttpsListenerOptions;
  #server: Server | undefined;
  #port = 0;
  #identity: TlsIdentity | undefined;
  #timer: NodeJS.Timeout | undefined;
  #check: Promise<void> = Promise.resolve();

  constructor(options: HttpsListenerOptions) {
    this.#options = options;
  }

  /** The port listened on, or 0. */
  get port(): number {
    return this.#port;
  }

  /** Throws API_PORT_IN_USE or API_LISTEN_FAILED and leaves nothing open then. */
  async start(identity: TlsIdentity): Promise<void> {
    const { host, port, handlers, limits, connections, counts, checkMs } = this.#options;
    const server = createHttpsServer(handlers, limits, secureContext(identity));
    // Node closes the connection; anybody can make any number of these, so they are only counted.
    server.on('tlsClientError', () => {
      counts.tlsHandshakesFailed += 1;
    });
    connections.add(server);
    const address = await listenTcp(server, { host, port, portKey: 'https.port' });
    this.#server = server;
    this.#port = address.port;
    this.#identity = identity;
    this.#timer = setInterval(() => {
      this.#check = this.#check.then(() => this.#renew());
    }, checkMs ?? checkEveryMs);
  }

  /** Stops listening; the connections are ended by {@link SharedConnections}. Idempotent. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    const server = this.#server;
    this.#server = undefined;
    this.#port = 0;
    this.#identity = undefined;
    if (server !== undefined) await closeServer(server);
    await this.#check;
  }

  status(): HttpsStatus | null {
    if (this.#identity === undefined) return null;
    const { fingerprint256, expiresUnixMs, own } = this.#identity;
    return { url: this.#url(), port: this.#port, fingerprint256, expiresUnixMs, own };
  }

  #url(): string {
    const { host } = this.#options;
    const wild = host === '0.0.0.0' || host === '::';
    return `${httpsOrigin(wild ? firstAddress() : host, this.#port)}/`;
  }

  /** Changes the certificate of new connections; those that are open keep theirs. */
  async #renew(): Promise<void> {
    const { log, source } = this.#options;
    try {
      const identity = await source.check();
      if (identity === undefined || this.#server === undefined) return;
      this.#server.setSecureContext(secureContext(identity));
      this.#identity = identity;
      const { fingerprint256, expiresUnixMs } = identity;
      log.info({ fingerprint256, expiresUnixMs }, 'HTTPS has another certificate');
    } catch (error) {
      log.error({ error: messageOf(error) }, 'the certificate could not be looked after');
    }
  }
}

function secureContext({ key, certificate }: TlsIdentity) {
  return { key, cert: certificate, minVersion: 'TLSv1.2' } as const;
}

/** An address other machines reach this one by, where it has one. */
function firstAddress(): string {
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ address, internal }) => !internal && !/^fe[89ab]/i.test(address))
    .map(({ address }) => address);
  return addresses.find((address) => isIP(address) === 4) ?? addresses[0] ?? 'localhost';
}
