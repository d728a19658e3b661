import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import * as v from 'valibot';
import { templateOf } from '../../src/api/openapi.ts';
import { routes } from '../../src/api/routes/all.ts';
import { errorBodySchema } from '../../src/api/schema.ts';
import { errorCatalogue } from '../../src/errors/catalogue.ts';
import { entriesOf } from '../../src/errors/schema-words.ts';
import { ask, startApi, type TestApi } from '../fixtures/api-server.ts';

const parameterSchema = v.object({
  name: v.string(),
  in: v.picklist(['path', 'query']),
  example: v.optional(v.string()),
});
const operationSchema = v.object({
  operationId: v.optional(v.string()),
  summary: v.string(),
  tags: v.optional(v.array(v.string())),
  parameters: v.optional(v.array(parameterSchema), []),
  requestBody: v.optional(
    v.object({ content: v.record(v.string(), v.object({ example: v.optional(v.unknown()) })) }),
  ),
  responses: v.record(v.string(), v.object({ description: v.string() })),
  'x-access': v.optional(v.string()),
  'x-stream': v.optional(v.string()),
});
const documentSchema = v.object({
  openapi: v.literal('3.1.0'),
  info: v.object({ title: v.string(), version: v.string() }),
  paths: v.record(v.string(), v.record(v.string(), v.unknown())),
  components: v.object({ schemas: v.record(v.string(), v.unknown()) }),
});

type Operation = v.InferOutput<typeof operationSchema>;

let api: TestApi;
let text: string;
let document: v.InferOutput<typeof documentSchema>;
before(async () => {
  api = await startApi();
  text = (await ask(api, '/api/v1/openapi.json')).text;
  document = v.parse(documentSchema, JSON.parse(text));
});
after(() => api.stop());

const operationOf = (path: string, method: string): Operation =>
  v.parse(operationSchema, document.paths[templateOf(path)]?.[method.toLowerCase()]);

/** Statuses that an operation names. */
const statuses = ({ responses }: Operation): string[] => Object.keys(responses);

describe('the OpenAPI document', () => {
  it('is one, as an independent validator sees it', async () => {
    const result = await new Validator().validate(JSON.parse(text));
    assert.equal(result.valid, true, JSON.stringify(result.errors, null, 2));
  });

  it('has references that lead somewhere, and no name that nothing refers to', () => {
    const referred = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name);
    assert.deepEqual(
      [...new Set(referred)].sort(),
      Object.keys(document.components.schemas).sort(),
    );
    assert.ok(referred.includes('Status') && referred.includes('HidStatus'));
  });

  it('names the program’s version, and each operation once', () => {
    assert.equal(document.info.version, '9.8.7');
    const ids = routes.map(({ path, method }) => operationOf(path, method).operationId);
    assert.equal(new Set(ids).size, routes.length, `${ids}`);
  });

  it('has the WebSockets in words', () => {
    const paths = Object.entries(document.paths)
      .filter(([, item]) => 'x-websocket' in item)
      .map(([path]) => path);
    assert.deepEqual(paths.sort(), [
      '/api/v1/fast-lane',
      '/api/v1/hid',
      '/api/v1/serial/console',
      '/api/v1/session',
    ]);
    assert.equal(operationOf('/api/v1/hid', 'GET').summary.startsWith('Keyboard'), true);
  });

  it('says which routes go on, and which are for the device alone', () => {
    assert.ok(operationOf('/api/v1/events', 'GET')['x-stream']);
    assert.ok(operationOf('/api/v1/logs', 'GET')['x-access']);
  });

  it('answers 405 to anything but a GET, and has no parameters', async () => {
    assert.equal((await ask(api, '/api/v1/openapi.json', { method: 'POST' })).status, 405);
    assert.equal((await ask(api, '/api/v1/openapi.json?x=1')).status, 400);
  });
});

describe('every route in it', () => {
  for (const route of routes) {
    const { method, path, summary, errors, body, query } = route;
    it(`${method} ${path}: summary, tag, parameters and errors`, () => {
      const operation = operationOf(path, method);
      assert.equal(operation.summary, summary);
      assert.match(operation.tags?.join() ?? '', /^\w+$/);
      for (const code of errors) {
        const response = operation.responses[errorCatalogue[code].http];
        assert.ok(response?.description.includes(`\`${code}\``), code);
      }
      const named = (where: string): string[] =>
        operation.parameters.filter((each) => each.in === where).map(({ name }) => name);
      const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name);
      assert.deepEqual(named('path'), inPath);
      assert.deepEqual(
        named('query'),
        Object.keys(query === undefined ? {} : (entriesOf(query) ?? {})),
      );
      if (body === undefined) return;
      const { content } = operation.requestBody ?? {};
      const example = content?.['application/json']?.example;
      assert.notEqual(example, undefined, 'a body needs an example');
    });
  }
});

describe('every example in it answers', () => {
  for (const { method, path, streams, access, answers } of routes) {
    if (streams || path.startsWith('/whep')) continue;
    it(`${method} ${path}`, async () => {
      const hid = api.services.hid;
      await hid?.saveMacro({ name: 'lock', steps: [{ press: 'super+l' }] });
      api.services.openedSessions.push({
        viewer: { send: () => undefined, end: () => undefined, sync: false },
        received: [],
        closedWith: undefined,
      });
      await api.services.microphone.start({ session: 's1', takeover: true });
      const operation = operationOf(path, method);
      let url = path;
      for (const { name, example = '' } of operation.parameters) {
        url = url.replace(`:${name}`, example);
      }
      const example = operation.requestBody?.content['application/json']?.example;
      const answer = await ask(api, url, {
        method,
        ...(example !== undefined && {
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(example),
        }),
        control: access === 'control',
      });
      assert.ok(
        statuses(operation).includes(`${answer.status}`),
        `${answer.status} ${answer.text}`,
      );
      if (answer.status >= 400) {
        // The serial port is not open here.
        const { error } = v.parse(errorBodySchema, answer.json);
        assert.match(error.code, /^SERIAL_/);
      } else if (answers !== undefined) v.parse(answers, answer.json);
    });
  }
});
