import { type ErrorCode, errorCatalogue } from '../errors/catalogue.ts';
import { entriesOf, isOptional, type SchemaNode, schemaNode } from '../errors/schema-words.ts';
import { jsonSchemas, type SchemaWriter } from './openapi-schemas.ts';
import { webSockets } from './openapi-sockets.ts';
import type { Route } from './route.ts';

/** The OpenAPI 3.1 document, from the table of routes and the schemas that requests are checked with. */

interface OpenApiOptions {
  readonly routes: readonly Route[];
  /** Of the program. */
  readonly version: string;
}

/** Codes that any route can answer with, beside its own. */
const commonErrors = [
  'API_HOST_REFUSED',
  'API_ORIGIN_REFUSED',
  'API_QUERY_INVALID',
  'API_TIMEOUT',
  'INTERNAL',
] as const satisfies readonly ErrorCode[];

const description = `Earshot: sound, picture, keyboard, mouse, serial console and power of the controlled computer.

Bodies and answers are JSON. An answer with a status of 400 or more has the envelope of \`Error\`; docs/errors.md lists
the codes. Requests that change something take no \`Origin\` but the device's own. Paths marked \`x-websocket\` take a
WebSocket beside, or in place of, a GET.`;

/** The document as JSON, some 150 KB. */
export async function openApiText(options: OpenApiOptions): Promise<string> {
  return JSON.stringify(await openApiDocument(options));
}

/** The document. */
export async function openApiDocument({ routes, version }: OpenApiOptions) {
  const schemas = await jsonSchemas();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = templateOf(route.path);
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route, schemas) };
  }
  for (const { path, ...socket } of webSockets) {
    const { get = socketOperation(socket) } = paths[path] ?? {};
    paths[path] = { ...paths[path], get, 'x-websocket': socket };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Earshot',
      version,
      description,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'The device itself.' }],
    tags: [...new Set(Object.keys(paths).map(tagOf))].map((name) => ({ name })),
    paths,
    components: {
      schemas: schemas.components(),
      securitySchemes: {
        whep: { type: 'http', scheme: 'bearer', description: 'The token of `whep.token`.' },
      },
    },
  };
}

/** `/children/{name}` for `/children/:name`. */
export function templateOf(path: string): string {
  return path.replaceAll(/:(\w+)/g, '{$1}');
}

/** `audio` of `/api/v1/audio/mute`. */
function tagOf(path: string): string {
  return /^(?:\/api\/v1)?\/(\w+)/.exec(path)?.[1] ?? '';
}

function operation(route: Route, schemas: SchemaWriter) {
  const { method, path, access, summary, body, example } = route;
  const parameters = [...pathParameters(route), ...queryParameters(route.query, schemas)];
  return {
    operationId: operationId(route),
    summary,
    tags: [tagOf(path)],
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && {
      requestBody: {
        required: true,
        description: `At most ${route.bodyLimit} bytes.`,
        content: {
          'application/json': {
            schema: schemas.write(body, 'input'),
            ...(example !== undefined && { example }),
          },
        },
      },
    }),
    ...(path.startsWith('/whep') && {
      security: [{ whep: [] }],
      ...(method === 'POST' && { requestBody: sdpBody }),
    }),
    responses: { ...success(route, schemas), ...failures(route, schemas) },
    ...(access === 'control' && { 'x-access': 'control socket only' }),
    ...(route.streams && { 'x-stream': 'The answer goes on until the client leaves.' }),
  };
}

const sdpBody = {
  required: true,
  description: 'An SDP offer, at most 32768 bytes.',
  content: { 'application/sdp': { schema: { type: 'string' } } },
};

/** `postAudioMute` */
function operationId({ method, path }: Route): string {
  const words = path.replace(/^\/api\/v1/, '').match(/\w+/g) ?? [];
  const capitals = words.map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`);
  return `${method.toLowerCase()}${capitals.join('')}`;
}

function pathParameters({ path, parameters = {} }: Route) {
  return [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => {
    const { summary, example } = parameters[name] ?? { summary: `The ${name}.`, example: name };
    return {
      name,
      in: 'path',
      required: true,
      description: summary,
      schema: { type: 'string' },
      example,
    };
  });
}

function queryParameters(query: SchemaNode | undefined, schemas: SchemaWriter) {
  return Object.entries(query === undefined ? {} : (entriesOf(query) ?? {})).map(
    ([name, node]) => ({
      name,
      in: 'query',
      required: !isOptional(node),
      schema: schemas.write(node, 'input'),
    }),
  );
}

function success({ path, method, answer, answers, answerType }: Route, schemas: SchemaWriter) {
  const description = `${answer.slice(0, 1).toUpperCase()}${answer.slice(1)}.`;
  if (path === '/whep') {
    return { 201: { description, content: { 'application/sdp': { schema: { type: 'string' } } } } };
  }
  if (path.startsWith('/whep') && method === 'DELETE') return { 200: { description } };
  const type = answerType ?? 'application/json';
  const schema = answers === undefined ? {} : schemas.write(schemaNode(answers), 'output');
  return { 200: { description, content: { [type]: { schema } } } };
}

/** One answer a status, which names the codes. */
function failures({ method, access, errors, streams }: Route, schemas: SchemaWriter) {
  const own: readonly ErrorCode[] = access === 'control' ? [...errors, 'API_CONTROL_ONLY'] : errors;
  const never = new Set<ErrorCode>([
    ...(method === 'GET' ? (['API_ORIGIN_REFUSED'] as const) : []),
    ...(streams ? (['API_TIMEOUT'] as const) : []),
  ]);
  const codes = new Set<ErrorCode>([...own, ...commonErrors.filter((code) => !never.has(code))]);
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const { http } = errorCatalogue[code];
    byStatus.set(http, [...(byStatus.get(http) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, here]) => [
      status,
      {
        description: here
          .map((code) => `\`${code}\`: ${errorCatalogue[code].summary}`)
          .join('\n\n'),
        content: { 'application/json': { schema: schemas.error(here) } },
      },
    ]),
  );
}

/** What a plain GET of a path answers that takes a WebSocket only. */
function socketOperation({ summary }: { readonly summary: string }) {
  return {
    summary: `WebSocket: ${summary}`,
    responses: { 101: { description: 'The WebSocket is open.' } },
  };
}
