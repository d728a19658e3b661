import { schemaNode } from '../../errors/schema-words.ts';
import { noQuery, type Route, type RouteContext, type RouteRequest } from '../route.ts';

/** For Prometheus and whatever else scrapes. */
export const metricsRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/metrics',
    access: 'anyone',
    summary: 'Every metric of docs/metrics.md.',
    answer: 'Prometheus text format 0.0.4',
    answerType: 'text/plain',
    query: schemaNode(noQuery),
    errors: [],
    streams: false,
    respond: async (request: RouteRequest, { services }: RouteContext) =>
      request.body(await services.metrics.text(), 200, {
        'content-type': 'text/plain; version=0.0.4; charset=utf-8',
      }),
  },
];
