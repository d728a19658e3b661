import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import * as v from 'valibot';
import {
  hidStatusSchema,
  hidTaskAnswerSchema,
  macrosSchema,
  textCheckSchema,
} from '../../src/api/hid-schema.ts';
import { routes } from '../../src/api/routes/all.ts';
import { errorBodySchema } from '../../src/api/schema.ts';
import { type ErrorCode, errorCatalogue } from '../../src/errors/catalogue.ts';
import { type Answer, ask, send, startApi, type TestApi } from '../fixtures/api-server.ts';
import type { InMemoryHid } from '../fixtures/in-memory-hid.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const path = '/api/v1/hid';

let api: TestApi;
let hid: InMemoryHid;
beforeEach(async () => {
  api = await startApi();
  assert.ok(api.services.hid);
  hid = api.services.hid;
});
afterEach(() => api.stop());

/** Checks an error answer and returns its error. */
function refused(answer: Answer, code: ErrorCode) {
  const { error } = v.parse(errorBodySchema, answer.json);
  assert.equal(error.code, code, error.message);
  assert.equal(answer.status, errorCatalogue[code].http);
  return error;
}

const post = (route: string, body: unknown = {}): Promise<Answer> =>
  send(api, `${path}${route}`, body);
const act = (route: string, method = 'POST'): Promise<Answer> =>
  ask(api, `${path}${route}`, { method });
const macro = { name: 'lock', steps: [{ press: 'super+l' }, { waitMs: 100 }, { text: 'a' }] };

describe('keyboard and mouse of the host', () => {
  it('answers with its state, and null on a device without', async () => {
    const answer = await ask(api, path);
    assert.equal(v.parse(hidStatusSchema, answer.json).host, 'attached');
    api.services.hid = undefined;
    assert.equal((await ask(api, path)).text, 'null');
  });

  it('says on every other route that there is none', async () => {
    const before = routes.filter((route) => route.path.startsWith(`${path}/`));
    assert.ok(before.length >= 12);
    api.services.hid = undefined;
    for (const { method, path: pattern, body, example } of before) {
      const answer = await ask(api, pattern.replace(':name', 'lock'), {
        method,
        ...(body !== undefined && {
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(example),
        }),
      });
      assert.match(refused(answer, 'HID_NOT_CONFIGURED').message, /hid\.host/);
    }
  });

  it('presses a combination, and refuses a key there is none of', async () => {
    const answer = await post('/key', { combination: 'ctrl+alt+del' });
    v.parse(hidStatusSchema, answer.json);
    assert.deepEqual(hid.pressed, ['ctrl+alt+del']);
    refused(await post('/key', { combination: 'ctrl+altt' }), 'HID_KEY_UNKNOWN');
    refused(await post('/key', { combination: '' }), 'API_BODY_INVALID');
    refused(await post('/key', { key: 'a' }), 'API_BODY_INVALID');
    hid.host = 'detached';
    refused(await post('/key', { combination: 'a' }), 'HID_NO_HOST');
  });

  it('types a text by the layout asked for, or the one set', async () => {
    const answer = await post('/text', { text: 'hello', layout: 'de' });
    assert.deepEqual(v.parse(hidTaskAnswerSchema, answer.json), { done: true, task: null });
    v.parse(hidStatusSchema, (await post('/layout', { layout: 'fr' })).json);
    await post('/text', { text: 'again', charactersPerSecond: 200 });
    assert.deepEqual(hid.typed, [
      { text: 'hello', layout: 'de' },
      { text: 'again', layout: 'fr' },
    ]);
  });

  it('lists what a layout cannot type, and types nothing of it', async () => {
    const check = await post('/text/check', { text: 'a→b→c', layout: 'us' });
    assert.deepEqual(v.parse(textCheckSchema, check.json), { characters: 5, untypable: ['→'] });
    const error = refused(await post('/text', { text: 'a→b' }), 'HID_TEXT_UNTYPABLE');
    assert.deepEqual(error.details, { layout: 'us', untypable: ['→'] });
    assert.equal(hid.typed.length, 0);
  });

  it('takes 10,000 characters, whatever JSON makes of them, and no more', async () => {
    const body = `{"text":"${'\\u0041'.repeat(10_000)}"}`;
    const headers = { 'content-type': 'application/json' };
    const answer = await ask(api, `${path}/text`, { method: 'POST', headers, body });
    assert.equal(answer.status, 200);
    assert.equal(hid.typed[0]?.text.length, 10_000);
    refused(await post('/text', { text: 'a'.repeat(10_001) }), 'HID_TEXT_TOO_LONG');
    refused(await post('/text', { text: 'a'.repeat(70_000) }), 'API_BODY_TOO_LARGE');
    refused(await post('/text', { text: '' }), 'API_BODY_INVALID');
    refused(await post('/text', { text: 'a', layout: 'xx' }), 'API_BODY_INVALID');
    for (const charactersPerSecond of [0, 201, 1.5]) {
      refused(await post('/text', { text: 'a', charactersPerSecond }), 'API_BODY_INVALID');
    }
  });

  it('is busy while a text is typed, tells of it, and stops', async () => {
    const seen: (string | undefined)[] = [];
    api.services.events.subscribe((name, data) => {
      if (name === 'hid-state-changed' && 'task' in data) seen.push(data.task?.kind);
    });
    hid.typing = new Promise(() => undefined);
    const typing = post('/text', { text: 'never ends' });
    await waitFor('it to begin', () => hid.status().task !== null);
    refused(await post('/text', { text: 'another' }), 'HID_BUSY');
    assert.deepEqual((await act('/stop')).json, { stopped: true });
    refused(await typing, 'HID_STOPPED');
    assert.deepEqual((await act('/stop')).json, { stopped: false });
    assert.deepEqual(seen, ['text', undefined]);
    assert.deepEqual((await ask(api, `${path}/task`)).json, { done: true, task: null });
  });

  it('answers after five seconds while a text goes on, and tells its end to who waits for it', async () => {
    hid.typing = new Promise(() => undefined);
    const answer = await post('/text', { text: 'a long one' });
    const { done, task } = v.parse(hidTaskAnswerSchema, answer.json);
    assert.deepEqual([done, task?.total], [false, 10]);
    const waiting = ask(api, `${path}/task`);
    await act('/release');
    refused(await waiting, 'HID_STOPPED');
    assert.equal(hid.releases, 1);
  });

  it('wakes a host, where that is possible', async () => {
    assert.deepEqual((await act('/wake')).json, { woken: true });
    hid.canWake = false;
    assert.deepEqual((await act('/wake')).json, { woken: false });
  });

  it('keeps, lists, runs and forgets macros', async () => {
    const saved = v.parse(macrosSchema, (await post('/macros', macro)).json);
    assert.deepEqual(saved, { macros: [macro] });
    assert.deepEqual((await ask(api, `${path}/macros`)).json, saved);
    assert.deepEqual((await act('/macros/lock/run')).json, { done: true, task: null });
    refused(await act('/macros/other/run'), 'HID_MACRO_UNKNOWN');
    assert.deepEqual((await act('/macros/lock', 'DELETE')).json, { macros: [] });
    refused(await act('/macros/lock', 'DELETE'), 'HID_MACRO_UNKNOWN');
  });

  it('refuses a macro that is none, naming what is wrong', async () => {
    const wrong: [unknown, RegExp][] = [
      [{ ...macro, name: 'Lock me' }, /name: /],
      [{ ...macro, steps: [] }, /steps: /],
      [{ ...macro, steps: [{ waitMs: 0 }] }, /steps/],
      [{ ...macro, steps: [{ jump: 1 }] }, /steps/],
      [{ ...macro, steps: Array.from({ length: 101 }, () => ({ waitMs: 1 })) }, /steps: /],
    ];
    for (const [body, message] of wrong) {
      assert.match(refused(await post('/macros', body), 'HID_MACRO_INVALID').message, message);
    }
    assert.equal(hid.macros().length, 0);
  });

  it('turns the jiggler on and off; what is left out stays', async () => {
    const jiggler = async (body: object) =>
      v.parse(hidStatusSchema, (await post('/jiggler', body)).json).jiggler;
    assert.deepEqual(await jiggler({ enabled: true, seconds: 30 }), { enabled: true, seconds: 30 });
    assert.deepEqual(await jiggler({ enabled: false }), { enabled: false, seconds: 30 });
    for (const seconds of [9, 3_601, 10.5]) {
      refused(await post('/jiggler', { enabled: true, seconds }), 'HID_INVALID');
    }
  });

  it('begins the stream of events with its state', async () => {
    const controller = new AbortController();
    const { address, port } = api.server.address();
    const response = await fetch(`http://${address}:${port}/api/v1/events`, {
      signal: controller.signal,
    });
    assert.ok(response.body);
    let text = '';
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.includes('event: hid-state-changed\ndata: {"host":"attached"')) break;
    }
    controller.abort();
    assert.match(text, /hid-state-changed/);
  });
});
