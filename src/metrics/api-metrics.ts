import { labelled, type Metric, plain } from './metric.ts';

/** Metrics of the HTTP server. */
export const apiMetrics: readonly Metric[] = [
  labelled(
    'counter',
    ['earshot_api_requests_total', '1', 'HTTP requests answered.'],
    ['method', 'route', 'status'],
    ({ api }) =>
      api().requests.map(({ method, route, status, count }) => ({
        labels: { method, route, status: String(status) },
        value: count,
      })),
  ),
  plain(
    'gauge',
    ['earshot_api_streams', '1', 'Event and log streams open now.'],
    ({ api }) => api().streamsOpen,
  ),
  plain(
    'counter',
    ['earshot_api_streams_total', '1', 'Event and log streams opened.'],
    ({ api }) => api().streamsTotal,
  ),
  plain(
    'counter',
    ['earshot_api_streams_dropped_total', '1', 'Streams ended since their reader was too slow.'],
    ({ api }) => api().streamsDropped,
  ),
  plain(
    'gauge',
    ['earshot_api_websockets', '1', 'WebSockets open now, of every kind.'],
    ({ api }) => api().socketsOpen,
  ),
  plain(
    'counter',
    ['earshot_api_websockets_total', '1', 'WebSockets opened.'],
    ({ api }) => api().socketsTotal,
  ),
  plain(
    'counter',
    [
      'earshot_api_websockets_dropped_total',
      '1',
      'WebSockets ended by the server: silent, flooding, too slow, or with what is no message of theirs.',
    ],
    ({ api }) => api().socketsDropped,
  ),
  plain(
    'counter',
    [
      'earshot_api_tls_handshakes_failed_total',
      '1',
      'Connections to the HTTPS port that ended before TLS was agreed on: a browser that does not trust the certificate, plain HTTP, a scan.',
    ],
    ({ api }) => api().tlsHandshakesFailed,
  ),
];
