import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import * as v from 'valibot';
import { routes } from '../../src/api/routes/all.ts';
import {
  childStatusSchema,
  devicesSchema,
  errorBodySchema,
  microphoneMetricsSchema,
  microphoneQualitySchema,
  microphoneStatusSchema,
  muteSchema,
  qualitySchema,
  statusSchema,
} from '../../src/api/schema.ts';
import { errorCatalogue } from '../../src/errors/catalogue.ts';
import { EarshotError } from '../../src/errors/earshot-error.ts';
import { entriesOf, isOptional, type SchemaNode } from '../../src/errors/schema-words.ts';
import { type Answer, ask, send, startApi, type TestApi } from '../fixtures/api-server.ts';
import { holderSchema } from '../fixtures/microphone-contract.ts';
import { waitFor } from '../fixtures/wait-for.ts';

let api: TestApi;
before(async () => {
  api = await startApi();
});
after(() => api.stop());

/** Checks an error answer and returns its message. */
function refused(answer: Answer, code: keyof typeof errorCatalogue): string {
  const { error } = v.parse(errorBodySchema, answer.json);
  assert.equal(error.code, code, error.message);
  assert.equal(answer.status, errorCatalogue[code].http);
  assert.equal(answer.headers['content-type'], 'application/json');
  assert.ok(error.message.length > 10);
  return error.message;
}

/** A path of the route with its parameters filled in. */
const realPath = (path: string): string => path.replace(':name', 'audio-output');

/** Whether `{}` is a body of the route. */
const needsNothing = (schema: SchemaNode): boolean =>
  Object.values(entriesOf(schema) ?? {}).every(isOptional);

describe('audio routes', () => {
  it('answer with what their schemas say', async () => {
    v.parse(qualitySchema, (await ask(api, '/api/v1/audio/quality')).json);
    v.parse(muteSchema, (await ask(api, '/api/v1/audio/mute')).json);
    v.parse(devicesSchema, (await ask(api, '/api/v1/audio/devices')).json);
  });

  for (const control of [false, true]) {
    const over = control ? 'over the control socket' : 'over TCP';

    it(`choose each preset ${over}`, async () => {
      for (const quality of ['low', 'medium', 'high', 'ultra']) {
        const answer = await send(api, '/api/v1/audio/quality', { quality }, control);
        assert.equal(answer.status, 200);
        assert.equal(v.parse(qualitySchema, answer.json).quality, quality);
        assert.equal(api.services.audio.quality().quality, quality);
      }
    });
  }

  it('take custom settings', async () => {
    const custom = { ...api.services.audio.quality().presets.low, bitrateBps: 24_000 };
    const answer = await send(api, '/api/v1/audio/quality', { quality: 'custom', custom });
    assert.equal(v.parse(qualitySchema, answer.json).effective.bitrateBps, 24_000);
  });

  it('refuse an unknown preset, naming the valid ones, state unchanged', async () => {
    const before = api.services.audio.quality();
    const answer = await send(api, '/api/v1/audio/quality', { quality: 'turbo' });
    assert.match(
      refused(answer, 'QUALITY_INVALID'),
      /turbo .*one of low, medium, high, ultra, custom/,
    );
    assert.deepEqual(api.services.audio.quality(), before);
  });

  it('refuse a custom field out of range, naming key, value and range', async () => {
    const custom = { ...api.services.audio.quality().presets.low, bitrateBps: 1 };
    const answer = await send(api, '/api/v1/audio/quality', { quality: 'custom', custom });
    assert.match(refused(answer, 'QUALITY_INVALID'), /custom\.bitrateBps: 1 .*from 6000 to 510000/);
  });

  it('mute and unmute', async () => {
    for (const muted of [true, false]) {
      assert.deepEqual((await send(api, '/api/v1/audio/mute', { muted })).json, { muted });
      assert.deepEqual((await ask(api, '/api/v1/audio/mute')).json, { muted });
    }
  });

  it('choose a device, and refuse an unknown one', async () => {
    const chosen = await send(api, '/api/v1/audio/device', { device: 'hw:CARD=HDMI' });
    assert.equal(v.parse(devicesSchema, chosen.json).current, 'hw:CARD=HDMI');
    const unknown = await send(api, '/api/v1/audio/device', { device: 'hw:CARD=None' });
    refused(unknown, 'AUDIO_DEVICE_UNKNOWN');
    assert.equal(api.services.audio.status().device, 'hw:CARD=HDMI');
  });
});

describe('microphone routes', () => {
  const path = '/api/v1/microphone';
  const start = (body: object): Promise<Answer> => send(api, `${path}/start`, body);
  const holder = (): string | undefined => api.services.microphone.status().holder?.session;

  /** That `answer` is refused with `code`, and that nothing changed by it. */
  async function refusedUnchanged(
    code: keyof typeof errorCatalogue,
    request: () => Promise<Answer>,
  ): Promise<{ message: string; answer: Answer }> {
    const now = () => {
      const { holder: held, ...status } = api.services.microphone.status();
      return { ...status, session: held?.session, quality: api.services.microphone.quality() };
    };
    const earlier = now();
    const answer = await request();
    const message = refused(answer, code);
    assert.deepEqual(now(), earlier);
    return { message, answer };
  }

  afterEach(async () => {
    api.services.beforeChange = async () => undefined;
    await api.services.microphone.stop({});
  });

  it('answer with what their schemas say', async () => {
    v.parse(microphoneStatusSchema, (await ask(api, path)).json);
    v.parse(microphoneQualitySchema, (await ask(api, `${path}/quality`)).json);
    v.parse(microphoneMetricsSchema, (await ask(api, `${path}/metrics`)).json);
    v.parse(devicesSchema, (await ask(api, `${path}/devices`)).json);
    const child = v.parse(childStatusSchema, (await ask(api, `${path}/process-metrics`)).json);
    assert.equal(child.name, 'audio-input');
  });

  it('answer that there are no numbers while the child does not run', async (t) => {
    const { childStats } = api.services.microphone;
    t.after(() => {
      api.services.microphone.childStats = childStats;
    });
    api.services.microphone.childStats = undefined;
    const metrics = v.parse(microphoneMetricsSchema, (await ask(api, `${path}/metrics`)).json);
    assert.equal(metrics.stats, null);
  });

  it('say by name that there is no child that plays it', async (t) => {
    const { statuses } = api.services.children;
    t.after(() => {
      api.services.children.statuses = statuses;
    });
    api.services.children.statuses = () => [];
    const answer = await ask(api, `${path}/process-metrics`);
    assert.match(refused(answer, 'CHILD_UNKNOWN'), /"audio-input"/);
  });

  for (const control of [false, true]) {
    it(`choose each preset over ${control ? 'the control socket' : 'TCP'}`, async () => {
      for (const quality of ['low', 'medium', 'high', 'ultra']) {
        const answer = await send(api, `${path}/quality`, { quality }, control);
        assert.equal(v.parse(microphoneQualitySchema, answer.json).quality, quality);
        assert.equal(api.services.microphone.status().quality, quality);
      }
    });
  }

  for (const quality of ['turbo', 'custom', 'Low', '', 1, null, '__proto__']) {
    it(`refuse the preset ${JSON.stringify(quality)}, naming the four`, async () => {
      const { message, answer } = await refusedUnchanged('QUALITY_INVALID', () =>
        send(api, `${path}/quality`, { quality }),
      );
      assert.match(message, /quality: .*one of low, medium, high, ultra$/m);
      assert.equal(answer.status, 400);
    });
  }

  it('give the microphone to one viewer, again and again, and free it', async () => {
    for (let i = 0; i < 2; i += 1) {
      const status = v.parse(microphoneStatusSchema, (await start({ session: 's1' })).json);
      assert.equal(status.holder?.session, 's1');
      assert.equal(status.live, true);
    }
    const stopped = await send(api, `${path}/stop`, { session: 's1' });
    assert.equal(v.parse(microphoneStatusSchema, stopped.json).holder, null);
    assert.equal((await send(api, `${path}/stop`, {})).status, 200, 'when nobody holds it');
  });

  it('refuse a second viewer, saying who holds it, unless it takes over', async () => {
    await start({ session: 's1' });
    for (const body of [{ session: 's2' }, { session: 's2', takeover: false }]) {
      const { answer } = await refusedUnchanged('MICROPHONE_HELD', () => start(body));
      assert.equal(answer.status, 409);
      const { details } = v.parse(errorBodySchema, answer.json).error;
      assert.equal(v.parse(holderSchema, details?.['holder']).session, 's1');
    }
    await start({ session: 's2', takeover: true });
    assert.equal(holder(), 's2');
  });

  it('leave the microphone where it is when another than its holder stops', async () => {
    await start({ session: 's1' });
    const answer = await send(api, `${path}/stop`, { session: 's2' });
    assert.equal(v.parse(microphoneStatusSchema, answer.json).holder?.session, 's1');
  });

  it('refuse a session that does not exist, with takeover too', async (t) => {
    await start({ session: 's1' });
    t.after(() => {
      api.services.microphone.knowsSession = () => true;
    });
    api.services.microphone.knowsSession = (session) => session === 's1';
    const ask9 = (takeover: boolean) => () => start({ session: 's9', takeover });
    await refusedUnchanged('MICROPHONE_SESSION_UNKNOWN', ask9(true));
    await api.services.microphone.stop({});
    const { message } = await refusedUnchanged('MICROPHONE_SESSION_UNKNOWN', ask9(false));
    assert.match(message, /"s9"/);
  });

  it('refuse a session that is no name', async () => {
    for (const session of [7, null, ['s1'], 'x'.repeat(65)]) {
      await refusedUnchanged('API_BODY_INVALID', () => start({ session }));
      await refusedUnchanged('API_BODY_INVALID', () => send(api, `${path}/stop`, { session }));
    }
  });

  it('mute and unmute the holder, and refuse to while nobody holds it', async () => {
    await refusedUnchanged('MICROPHONE_NOT_HELD', () => send(api, `${path}/mute`, { muted: true }));
    await start({ session: 's1' });
    for (const muted of [true, false]) {
      const answer = await send(api, `${path}/mute`, { muted });
      const status = v.parse(microphoneStatusSchema, answer.json);
      assert.deepEqual([status.muted, status.live], [muted, !muted]);
    }
  });

  it('begin unmuted with the next holder', async () => {
    await start({ session: 's1' });
    await send(api, `${path}/mute`, { muted: true });
    const answer = await start({ session: 's2', takeover: true });
    assert.equal(v.parse(microphoneStatusSchema, answer.json).muted, false);
  });

  it('reset while its holder keeps it', async () => {
    await start({ session: 's1' });
    const { resets } = api.services.microphone;
    const answer = await ask(api, `${path}/reset`, { method: 'POST' });
    assert.equal(v.parse(microphoneStatusSchema, answer.json).holder?.session, 's1');
    assert.equal(api.services.microphone.resets, resets + 1);
  });

  it('choose a device, and refuse an unknown one', async () => {
    const chosen = await send(api, `${path}/device`, { device: 'hw:CARD=Loopback' });
    assert.equal(v.parse(devicesSchema, chosen.json).current, 'hw:CARD=Loopback');
    const { message } = await refusedUnchanged('AUDIO_DEVICE_UNKNOWN', () =>
      send(api, `${path}/device`, { device: 'hw:CARD=None' }),
    );
    assert.match(message, /hw:CARD=None/);
  });

  it('answer a change that could not be kept with the reason', async () => {
    api.services.beforeChange = () =>
      Promise.reject(new EarshotError('SETTINGS_WRITE_FAILED', 'cannot write: no space left'));
    const { message } = await refusedUnchanged('SETTINGS_WRITE_FAILED', () =>
      send(api, `${path}/quality`, { quality: 'low' }),
    );
    assert.match(message, /no space left/);
  });
});

describe('the other routes', () => {
  it('answer with the status', async () => {
    const status = v.parse(statusSchema, (await ask(api, '/api/v1/status')).json);
    assert.equal(status.version, '9.8.7');
    assert.equal(status.localOnly, true);
    assert.deepEqual(status.microphone, api.services.microphone.status());
    assert.equal(status.children.length, 2);
  });

  it('restart a child, and refuse an unknown one', async () => {
    const path = '/api/v1/children/audio-output/restart';
    v.parse(childStatusSchema, (await ask(api, path, { method: 'POST' })).json);
    const unknown = await ask(api, '/api/v1/children/none/restart', { method: 'POST' });
    assert.match(refused(unknown, 'CHILD_UNKNOWN'), /audio-output/);
  });

  it('answer with the metrics', async () => {
    const answer = await ask(api, '/metrics');
    assert.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
    assert.equal(answer.text, api.services.metricsText);
  });

  it('serve the log on the control socket only', async () => {
    api.services.log.write('{"msg":"one"}\n{"msg":"two"}\n');
    refused(await ask(api, '/api/v1/logs'), 'API_CONTROL_ONLY');
    const answer = await ask(api, '/api/v1/logs?lines=1', { control: true });
    assert.equal(answer.text, '{"msg":"two"}\n');
  });
});

describe('every route', () => {
  for (const { method, path, streams } of routes) {
    const where = realPath(path);

    it(`${method} ${path} refuses other methods and says which it takes`, async () => {
      for (const other of ['PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
        if (other === method) continue;
        const answer = await ask(api, where, { method: other, control: true });
        assert.match(refused(answer, 'API_METHOD_NOT_ALLOWED'), new RegExp(`${other}.*${method}`));
        assert.match(String(answer.headers.allow), new RegExp(method));
      }
    });

    it(`${method} ${path} refuses an unknown parameter of the URL`, async () => {
      if (path === '/metrics') return; // scrapers add parameters of their own
      const answer = await ask(api, `${where}?colour=red`, { method, control: true });
      assert.match(refused(answer, 'API_QUERY_INVALID'), /colour/);
    });

    it(`${method} ${path} refuses a name that is not the device's`, async () => {
      const answer = await ask(api, where, { method, headers: { host: 'evil.example' } });
      assert.match(refused(answer, 'API_HOST_REFUSED'), /evil\.example/);
    });

    if (streams) {
      it(`HEAD ${path} does not begin a stream`, async () => {
        const answer = await ask(api, where, { method: 'HEAD', control: true });
        assert.equal(answer.status, 405);
      });
    }

    if (method === 'POST') {
      it(`POST ${path} refuses a page of another site`, async () => {
        const headers = { 'content-type': 'application/json', origin: 'http://evil.example' };
        const answer = await ask(api, where, { method, headers, body: '{}' });
        assert.match(refused(answer, 'API_ORIGIN_REFUSED'), /evil\.example/);
      });
    }
  }

  for (const { path, body: schema, bodyLimit = 0, invalidCode: invalid } of routes) {
    if (schema === undefined || invalid === undefined) continue;
    const json = { 'content-type': 'application/json' };
    const post = (body: string | Buffer, headers: Record<string, string> = json): Promise<Answer> =>
      ask(api, path, { method: 'POST', headers, body });

    for (const body of ['', '{', 'true false', '{"a":1}}', '\0', Buffer.from([0xff, 0xfe])]) {
      it(`POST ${path} refuses ${JSON.stringify(body.toString('latin1'))}, which is no JSON`, async () => {
        assert.match(refused(await post(body), 'API_BODY_INVALID'), /not JSON/);
      });
    }
    const empty = needsNothing(schema) ? [] : ['{}'];
    for (const body of ['null', '[]', '1', '"x"', '[[[[]]]]', ...empty]) {
      it(`POST ${path} refuses ${body}, which is no such object`, async () => {
        refused(await post(body), invalid);
      });
    }
    for (const key of ['colour', '__proto__', 'constructor', 'toString']) {
      it(`POST ${path} refuses the unknown key ${key}`, async () => {
        assert.match(
          refused(await post(`{"${key}":1}`), invalid),
          new RegExp(`${key}: unknown key`),
        );
      });
    }
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/jsonp',
      '',
    ]) {
      it(`POST ${path} refuses the content type ${JSON.stringify(type)}`, async () => {
        const headers: Record<string, string> = type === '' ? {} : { 'content-type': type };
        const answer = await post('{}', headers);
        assert.match(refused(answer, 'API_UNSUPPORTED_MEDIA_TYPE'), /application\/json/);
      });
    }
    it(`POST ${path} refuses what is nested too deeply to be repeated`, async () => {
      const deep = `${'['.repeat(8_000)}${']'.repeat(8_000)}`;
      for (const body of [deep, `{"quality":${deep}}`, `{"custom":${deep},"muted":1,"device":2}`]) {
        const answer = await post(body);
        refused(answer, invalid);
        assert.ok(answer.text.length < 4_000);
      }
    });
    it(`POST ${path} refuses a body that is too large, announced or not`, async () => {
      const large = `{"x":"${'x'.repeat(bodyLimit)}"}`;
      const announced = { ...json, 'content-length': String(large.length) };
      const words = new RegExp(`${bodyLimit}`);
      assert.match(refused(await post(large, announced), 'API_BODY_TOO_LARGE'), words);
      const chunked = { ...json, 'transfer-encoding': 'chunked' };
      assert.match(refused(await post(large, chunked), 'API_BODY_TOO_LARGE'), words);
    });
    it(`POST ${path} refuses a large body before it was sent`, async () => {
      const headers = [
        'host: 127.0.0.1',
        'content-type: application/json',
        'content-length: 99999999',
      ];
      const text = await raw(`POST ${path} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`);
      assert.match(text, /^HTTP\/1\.1 413 .*API_BODY_TOO_LARGE/s);
    });
  }

  it('has the security headers, error or not, and is not kept by browsers', async () => {
    const paths = ['/', '/assets/main.js', '/api/v1/status', '/api/v1/none', '/metrics'];
    const answers = await Promise.all([
      ...paths.map((path) => ask(api, path)),
      ask(api, '/', { headers: { host: 'evil.example' } }),
    ]);
    for (const { headers } of answers) {
      assert.match(String(headers['content-security-policy']), /default-src 'self'/);
      assert.match(String(headers['content-security-policy']), /connect-src 'self'/);
      assert.doesNotMatch(String(headers['content-security-policy']), /unsafe/);
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
      assert.equal(headers['cross-origin-embedder-policy'], 'require-corp');
      assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
      assert.equal(headers['access-control-allow-origin'], undefined);
      assert.match(String(headers['cache-control']), /no-store|no-cache/);
    }
  });
});

describe('what is no route', () => {
  for (const path of [
    '/api/v1/none',
    '/api',
    '/api/v1/audio/quality/',
    '/api/v1/session',
    '/%00',
    '//',
    '/index.php',
  ]) {
    it(`answers 404 for ${path}`, async () => {
      for (const method of ['GET', 'POST', 'DELETE']) {
        refused(await ask(api, path, { method }), 'API_NOT_FOUND');
      }
    });
  }

  it('answers 404 for a URL that is none', async () => {
    refused(await ask(api, '*', { method: 'OPTIONS' }), 'API_NOT_FOUND');
  });

  it('does not let a child name reach another route', async () => {
    for (const name of ['..%2f..%2fstatus', '%2e%2e', '%00', '%', 'a'.repeat(5_000)]) {
      const answer = await ask(api, `/api/v1/children/${name}/restart`, { method: 'POST' });
      assert.ok(answer.status === 404 || answer.status === 400, `${answer.status} for ${name}`);
    }
  });
});

describe('a route that fails', () => {
  it('answers a failed write with the reason', async () => {
    api.services.beforeChange = () =>
      Promise.reject(
        new EarshotError('SETTINGS_WRITE_FAILED', 'cannot write /data: no space left'),
      );
    const answer = await send(api, '/api/v1/audio/mute', { muted: true });
    assert.match(refused(answer, 'SETTINGS_WRITE_FAILED'), /no space left/);
    api.services.beforeChange = async () => undefined;
  });

  it('does not tell a stranger what was not foreseen', async () => {
    api.services.beforeChange = () => Promise.reject(new Error('secret of the house'));
    const answer = await send(api, '/api/v1/audio/mute', { muted: true });
    assert.doesNotMatch(refused(answer, 'INTERNAL'), /secret/);
    assert.doesNotMatch(answer.text, /secret|at .*\.ts/);
    api.services.beforeChange = async () => undefined;
  });

  it('answers when a route takes too long', async (t) => {
    const slow = await startApi({ limits: { routeMs: 20 } });
    t.after(slow.stop);
    let release = (): void => undefined;
    slow.services.beforeChange = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    const answer = await send(slow, '/api/v1/audio/mute', { muted: true });
    assert.match(refused(answer, 'API_TIMEOUT'), /20 ms/);
    release();
    await slow.stop();
  });
});

describe('request counts', () => {
  it('go by route, method and status, and paths that were made up share one label', async (t) => {
    const own = await startApi();
    t.after(own.stop);
    await ask(own, '/api/v1/status');
    await ask(own, '/api/v1/status');
    await ask(own, '/nothing/here');
    await ask(own, '/nothing/there');
    await ask(own, '/');
    await ask(own, '/api/v1/children/x/restart', { method: 'POST' });
    await ask(own, '/api/v1/status', { headers: { host: 'evil.example' } });
    const counts = own.server
      .stats()
      .requests.map(({ method, route, status, count }) => `${method} ${route} ${status} ${count}`);
    assert.deepEqual(counts.sort(), [
      'GET /api/v1/status 200 2',
      'GET other 403 1',
      'GET other 404 2',
      'GET page 200 1',
      'POST /api/v1/children/:name/restart 404 1',
    ]);
  });

  it('count a client that left before its answer as such', async (t) => {
    const own = await startApi();
    t.after(own.stop);
    let asked = false;
    own.services.beforeChange = () => {
      asked = true;
      return new Promise(() => undefined);
    };
    const { address, port } = own.server.address();
    const socket = connect(port, address);
    socket.write(
      'POST /api/v1/audio/mute HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 14\r\n\r\n{"muted":true}',
    );
    await waitFor('the request to be under way', () => asked);
    socket.destroy();
    const count = await waitFor('the request to be counted', () => own.server.stats().requests[0]);
    assert.deepEqual(count, { method: 'POST', route: '/api/v1/audio/mute', status: 499, count: 1 });
  });
});

/** Sends `text` on a connection of its own and resolves with all that comes back. */
function raw(text: string): Promise<string> {
  const { address, port } = api.server.address();
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, address, () => socket.write(text));
    socket.setTimeout(10_000, () => socket.destroy(new Error('no answer')));
    socket.setEncoding('utf8').on('data', (chunk) => {
      answer += String(chunk);
      if (answer.includes('}}')) socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}
