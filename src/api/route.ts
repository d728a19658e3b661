import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context } from 'hono';
import * as v from 'valibot';
import type { ErrorCode } from '../errors/catalogue.ts';
import { type SchemaNode, schemaNode } from '../errors/schema-words.ts';
import type { ListenerKind } from './admission.ts';
import type { BearerToken } from './bearer-token.ts';
import type { EventStreams } from './event-streams.ts';
import type { LogStreams } from './log-streams.ts';
import { checkQuery } from './query.ts';
import { readBody } from './request-body.ts';
import type { Status } from './schema.ts';
import type { Services } from './services.ts';
import type { TraceStreams } from './trace-streams.ts';

/** What a route can reach. */
export interface RouteContext {
  readonly services: Services;
  readonly eventStreams: EventStreams;
  readonly logStreams: LogStreams;
  readonly traceStreams: TraceStreams;
  status(): Status;
  /** Undefined: there is no WHEP. */
  readonly whepToken: BearerToken | undefined;
}

export interface RouteEnv {
  Bindings: HttpBindings & { readonly listener: ListenerKind; route?: string };
}

export type RouteRequest = Context<RouteEnv>;

/**
 * Who may use a route, beside what admission.ts asks of every request. `anyone` until accounts exist;
 * `control`: only over the control socket.
 */
export type RouteAccess = 'anyone' | 'control';

/** One route as data: the server, the documentation and the tests walk these. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Hono pattern, e.g. `/api/v1/children/:name/restart`. */
  readonly path: string;
  readonly access: RouteAccess;
  readonly summary: string;
  /** What it answers with, in words. */
  readonly answer: string;
  readonly body?: SchemaNode;
  readonly query?: SchemaNode;
  /** Codes of its own, beside those every route can answer with. */
  readonly errors: readonly ErrorCode[];
  /** True when the answer goes on until the client leaves; such a route has no deadline and no HEAD. */
  readonly streams: boolean;
  readonly respond: (request: RouteRequest, context: RouteContext) => Promise<Response>;
}

interface RouteText {
  readonly summary: string;
  readonly answer: string;
  readonly errors?: readonly ErrorCode[];
}

type Parameters_ = Readonly<Record<string, string>>;

/** A route that reads. */
export function get(
  path: string,
  text: RouteText,
  handle: (context: RouteContext) => unknown,
): Route {
  return withoutBody('GET', path, text, handle);
}

/** A route that changes something, by its path alone. */
export function act(
  path: string,
  text: RouteText,
  handle: (context: RouteContext, parameters: Parameters_) => Promise<unknown>,
): Route {
  return withoutBody('POST', path, text, handle);
}

function withoutBody(
  method: Route['method'],
  path: string,
  { summary, answer, errors = [] }: RouteText,
  handle: (context: RouteContext, parameters: Parameters_) => unknown,
): Route {
  return {
    method,
    path,
    access: 'anyone',
    summary,
    answer,
    errors,
    streams: false,
    respond: async (request, context) => {
      checkQuery(noQuery, request.req.query());
      return request.json(await handle(context, request.req.param()));
    },
  };
}

/** A route that changes something, as its JSON body says. `invalidCode` answers a body that does not fit. */
export function post<S extends v.GenericSchema>(
  path: string,
  text: RouteText & { readonly body: S; readonly invalidCode?: ErrorCode },
  handle: (context: RouteContext, body: v.InferOutput<S>) => Promise<unknown>,
): Route {
  const { summary, answer, errors = [], body, invalidCode = 'API_BODY_INVALID' } = text;
  const bodyErrors = [
    invalidCode,
    'API_BODY_INVALID',
    'API_BODY_TOO_LARGE',
    'API_UNSUPPORTED_MEDIA_TYPE',
  ] as const;
  return {
    method: 'POST',
    path,
    access: 'anyone',
    summary,
    answer,
    body: schemaNode(body),
    errors: [...new Set([...bodyErrors, ...errors])],
    streams: false,
    respond: async (request, context) => {
      checkQuery(noQuery, request.req.query());
      const input = await readBody(request.env.incoming, body, invalidCode);
      return request.json(await handle(context, input));
    },
  };
}

/** A route whose answer goes on; `open` writes it past Hono. */
export function stream<S extends v.GenericSchema>(
  path: string,
  text: RouteText & { readonly access: RouteAccess; readonly query: S },
  open: (context: RouteContext, query: v.InferOutput<S>, bindings: HttpBindings) => void,
): Route {
  const { query, ...rest } = text;
  return {
    method: 'GET',
    path,
    ...rest,
    query: schemaNode(query),
    errors: text.errors ?? [],
    streams: true,
    respond: async (request, context) => {
      open(context, checkQuery(query, request.req.query()), request.env);
      return RESPONSE_ALREADY_SENT;
    },
  };
}

/** The query of a route that takes none. */
export const noQuery = v.strictObject({});
