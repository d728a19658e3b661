import { Hono } from 'hono';
import { EarshotError } from '../errors/earshot-error.ts';
import type { Log } from '../log/log.ts';
import { asEarshotError, errorBody } from './error-response.ts';
import type { PageFile } from './page-files.ts';
import type { Route, RouteContext, RouteEnv, RouteRequest } from './route.ts';

export interface AppOptions {
  readonly routes: readonly Route[];
  readonly context: RouteContext;
  /** The page's files by URL path. */
  readonly page: ReadonlyMap<string, PageFile>;
  readonly log: Log;
  /** How long a route may take, in ms. */
  readonly deadlineMs: number;
}

/** Builds the application: the routes of the table, 405 for their other methods, the page, 404 for the rest. */
export function createApp(options: AppOptions): Hono<RouteEnv> {
  const { routes, context, page, log, deadlineMs } = options;
  const app = new Hono<RouteEnv>();
  app.onError((error) => errorAnswer(asEarshotError(error, log)));
  for (const route of routes) {
    app.on(route.method, route.path, async (request) => {
      request.env.route = route.path;
      if (route.access === 'control' && request.env.listener !== 'control') {
        throw new EarshotError(
          'API_CONTROL_ONLY',
          `${route.path} is served on the control socket only; use the earshot command on the device.`,
        );
      }
      if (!route.streams) {
        return withDeadline(route.respond(request, context), route, route.deadlineMs ?? deadlineMs);
      }
      if (request.env.incoming.method === 'HEAD') return methodRefused(request, ['GET']);
      return route.respond(request, context);
    });
  }
  for (const path of new Set(routes.map((route) => route.path))) {
    const here = routes.filter((route) => route.path === path);
    const allowed = here.flatMap(({ method, streams }) =>
      method === 'GET' && !streams ? ['GET', 'HEAD'] : [method],
    );
    app.all(path, (request) => {
      request.env.route = path;
      return methodRefused(request, allowed);
    });
  }
  app.notFound((request) => pageAnswer(request, page));
  return app;
}

/** Rejects with API_TIMEOUT when `answer` takes too long; what it still does is not undone. */
async function withDeadline(
  answer: Promise<Response>,
  route: Route,
  deadlineMs: number,
): Promise<Response> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const message = `${route.method} ${route.path} took longer than ${deadlineMs} ms; look at the status before trying again.`;
      reject(new EarshotError('API_TIMEOUT', message));
    }, deadlineMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

function pageAnswer(request: RouteRequest, page: ReadonlyMap<string, PageFile>): Response {
  const { path } = request.req;
  const file = page.get(path);
  if (file === undefined) {
    return errorAnswer(new EarshotError('API_NOT_FOUND', notFoundWords(path, page.size)));
  }
  request.env.route = 'page';
  const { method = '' } = request.env.incoming;
  if (method !== 'GET' && method !== 'HEAD') return methodRefused(request, ['GET', 'HEAD']);
  const headers = {
    etag: file.etag,
    'cache-control': file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
  };
  if (etagMatches(request.req.header('if-none-match'), file.etag)) {
    return request.body(null, 304, headers);
  }
  return request.body(new Uint8Array(file.body), 200, {
    ...headers,
    'content-type': file.contentType,
  });
}

function notFoundWords(path: string, pageSize: number): string {
  if (path === '/' && pageSize === 0) return 'The page is not built; run `npm run build`.';
  return `There is no ${path.slice(0, 256)}; docs/api.md lists what there is.`;
}

/** If-None-Match (RFC 9110 §13.1.2): a list of tags, weak ones compare equal, `*` matches all. */
function etagMatches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const tags = header.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(etag);
}

function methodRefused(request: RouteRequest, allowed: readonly string[]): Response {
  const { method = '' } = request.env.incoming;
  const answer = errorAnswer(
    new EarshotError(
      'API_METHOD_NOT_ALLOWED',
      `${request.req.path.slice(0, 256)} does not take ${method}; it takes ${allowed.join(', ')}.`,
    ),
  );
  answer.headers.set('allow', allowed.join(', '));
  return answer;
}

function errorAnswer(error: EarshotError): Response {
  const answer = new Response(JSON.stringify(errorBody(error)), {
    status: error.httpStatus,
    headers: { 'content-type': 'application/json' },
  });
  // What is left of a body that is too large is not waited for.
  if (error.code === 'API_BODY_TOO_LARGE') answer.headers.set('connection', 'close');
  return answer;
}
