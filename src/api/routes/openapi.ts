import { schemaNode } from '../../errors/schema-words.ts';
import { checkQuery } from '../query.ts';
import { noQuery, type Route } from '../route.ts';

/** For programs that read what the API is. */
export const openApiRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/v1/openapi.json',
    access: 'anyone',
    summary: 'Every route as an OpenAPI 3.1 document.',
    answer: 'the document',
    query: schemaNode(noQuery),
    errors: [],
    streams: false,
    respond: async (request, context) => {
      checkQuery(noQuery, request.req.query());
      return request.body(await context.openApi(), 200, { 'content-type': 'application/json' });
    },
  },
];
