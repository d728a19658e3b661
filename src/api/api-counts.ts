/** Counters of the HTTP server since it started, for the metrics. */

export interface RequestCount {
  readonly method: string;
  /** The route's pattern, `page` for a file of the page, or `other`; never the path as it was sent. */
  readonly route: string;
  readonly status: number;
  readonly count: number;
}

export interface ApiStats {
  readonly requests: readonly RequestCount[];
  /** Event and log streams open now, opened ever, and dropped because their reader was too slow. */
  readonly streamsOpen: number;
  readonly streamsTotal: number;
  readonly streamsDropped: number;
  /** WebSockets open now, opened ever, and ended by the server (silent, flooding or too slow). */
  readonly socketsOpen: number;
  readonly socketsTotal: number;
  readonly socketsDropped: number;
  /** Connections to the HTTPS port that ended before TLS was agreed on. */
  readonly tlsHandshakesFailed: number;
}

/** Methods that get a label of their own; a client may send any word. */
const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

export class ApiCounts {
  readonly #requests = new Map<string, RequestCount>();
  streamsOpen = 0;
  streamsTotal = 0;
  streamsDropped = 0;
  socketsOpen = 0;
  socketsTotal = 0;
  socketsDropped = 0;
  tlsHandshakesFailed = 0;

  countRequest({ method, route, status }: Omit<RequestCount, 'count'>): void {
    const label = knownMethods.has(method) ? method : 'other';
    const key = `${label} ${route} ${status}`;
    const count = (this.#requests.get(key)?.count ?? 0) + 1;
    this.#requests.set(key, { method: label, route, status, count });
  }

  stats(): ApiStats {
    return {
      requests: [...this.#requests.values()],
      streamsOpen: this.streamsOpen,
      streamsTotal: this.streamsTotal,
      streamsDropped: this.streamsDropped,
      socketsOpen: this.socketsOpen,
      socketsTotal: this.socketsTotal,
      socketsDropped: this.socketsDropped,
      tlsHandshakesFailed: this.tlsHandshakesFailed,
    };
  }
}
