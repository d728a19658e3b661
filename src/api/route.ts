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
import { defaultBodyLimit, readBody } from './request-body.ts';
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
  /** The OpenAPI document, as JSON. */
  openApi(): Promise<string>;
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

/** One parameter of a path, e.g. `name` of `/api/v1/children/:name/restart`. */
export interface RouteParameter {
  readonly summary: string;
  readonly example: string;
}

/** One route as data: the server, the documentation and the tests walk these. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Hono pattern, e.g. `/api/v1/children/:name/restart`. */
  readonly path: string;
  readonly access: RouteAccess;
  readonly summary: string;
  /** What it answers with, in words. */
  readonly answer: string;
  /** What it answers with, as the OpenAPI document has it; without, JSON of any shape. */
  readonly answers?: v.GenericSchema;
  /** Content type of an answer that is not JSON. */
  readonly answerType?: string;
  /** Those of its path. */
  readonly parameters?: Readonly<Record<string, RouteParameter>>;
  readonly body?: SchemaNode;
  /** Of the body, in bytes. */
  readonly bodyLimit?: number;
  /** Answers JSON that does not fit. */
  readonly invalidCode?: ErrorCode;
  /** A body that the route takes, or what stands for one in the OpenAPI document. */
  readonly example?: unknown;
  readonly query?: SchemaNode;
  /** Codes of its own, beside those every route can answer with. */
  readonly errors: readonly ErrorCode[];
  /** True when the answer goes on until the client leaves; such a route has no deadline and no HEAD. */
  readonly streams: boolean;
  /** How long it may take, in ms, where that is longer than other routes may. */
  readonly deadlineMs?: number;
  readonly respond: (request: RouteRequest, context: RouteContext) => Promise<Response>;
}

interface RouteText
  extends Pick<Route, 'summary' | 'answer'>,
    Partial<Pick<Route, 'answers' | 'parameters' | 'errors'>> {}

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

/** A route that takes something away, by its path alone. */
export function remove(
  path: string,
  text: RouteText,
  handle: (context: RouteContext, parameters: Parameters_) => Promise<unknown>,
): Route {
  return withoutBody('DELETE', path, text, handle);
}

function withoutBody(
  method: Route['method'],
  path: string,
  text: RouteText,
  handle: (context: RouteContext, parameters: Parameters_) => unknown,
): Route {
  return {
    method,
    path,
    access: 'anyone',
    ...text,
    errors: text.errors ?? [],
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
  text: RouteText & {
    readonly body: S;
    /** In bytes; {@link defaultBodyLimit} unless told otherwise. */
    readonly bodyLimit?: number;
    readonly example?: v.InferInput<S>;
    readonly invalidCode?: ErrorCode;
  },
  handle: (context: RouteContext, body: v.InferOutput<S>) => Promise<unknown>,
): Route {
  const { body, bodyLimit = defaultBodyLimit, invalidCode = 'API_BODY_INVALID', ...rest } = text;
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
    ...rest,
    body: schemaNode(body),
    bodyLimit,
    invalidCode,
    errors: [...new Set([...bodyErrors, ...(text.errors ?? [])])],
    streams: false,
    respond: async (request, context) => {
      checkQuery(noQuery, request.req.query());
      const input = await readBody(request.env.incoming, body, { invalidCode, bodyLimit });
      return request.json(await handle(context, input));
    },
  };
}

/** A route whose answer goes on; `open` writes it past Hono. */
export function stream<S extends v.GenericSchema>(
  path: string,
  text: RouteText & {
    readonly access: RouteAccess;
    readonly query: S;
    readonly answerType?: string;
  },
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
