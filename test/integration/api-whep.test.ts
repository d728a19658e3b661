import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import * as v from 'valibot';
import { errorBodySchema } from '../../src/api/schema.ts';
import {
  type Answer,
  type AskOptions,
  ask,
  startApi,
  type TestApi,
} from '../fixtures/api-server.ts';

const token = 'a-token-of-the-configuration';
const offer = 'v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\n';

let api: TestApi | undefined;
afterEach(async () => {
  await api?.stop();
  api = undefined;
});

async function started(whepToken = token): Promise<TestApi> {
  api = await startApi({ whepToken });
  return api;
}

function post(to: TestApi, changes: AskOptions = {}): Promise<Answer> {
  return ask(to, '/whep', {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/sdp' },
    body: offer,
    ...changes,
  });
}

const codeOf = (answer: Answer): string => v.parse(errorBodySchema, answer.json).error.code;

describe('WHEP (draft-ietf-wish-whep)', () => {
  it('answers an offer with 201, the answer, and where the session is', async () => {
    const answer = await post(await started());
    assert.equal(answer.status, 201);
    assert.equal(answer.headers['content-type'], 'application/sdp');
    assert.equal(answer.headers.location, '/whep/w1');
    assert.match(answer.text, /^v=0\r\n/);
    assert.equal(answer.headers.link, undefined);
  });

  it('names the ICE servers, with what they ask for', async () => {
    const to = await started();
    to.services.iceServers = [
      { urls: ['stun:stun.example.org'] },
      { urls: ['turn:turn.example.org?transport=udp'], username: 'a"b', credential: 'c\\d' },
    ];
    const { headers } = await post(to);
    assert.equal(
      headers.link,
      '<stun:stun.example.org>; rel="ice-server", <turn:turn.example.org?transport=udp>; rel="ice-server"; username="a\\"b"; credential="c\\\\d"; credential-type="password"',
    );
  });

  it('ends a session with DELETE, once', async () => {
    const to = await started();
    const { headers } = await post(to);
    const path = headers.location ?? '';
    const remove = (): Promise<Answer> =>
      ask(to, path, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } });
    assert.equal((await remove()).status, 200);
    assert.equal(to.services.whepSessions.size, 0);
    const again = await remove();
    assert.equal(again.status, 404);
    assert.equal(codeOf(again), 'MEDIA_SESSION_UNKNOWN');
  });

  it('lets nobody in without the token, and says how to send it', async () => {
    const to = await started();
    for (const authorization of [undefined, 'Bearer wrong-token-wrong-token']) {
      const answer = await post(to, {
        headers: {
          'content-type': 'application/sdp',
          ...(authorization === undefined ? {} : { authorization }),
        },
      });
      assert.equal(answer.status, 401);
      assert.equal(answer.headers['www-authenticate'], 'Bearer realm="whep"');
      assert.equal(codeOf(answer), 'API_TOKEN_REFUSED');
      assert.ok(!answer.text.includes(token));
    }
    const removal = await ask(to, '/whep/w1', { method: 'DELETE' });
    assert.equal(removal.status, 401);
    assert.equal(to.services.whepSessions.size, 0);
  });

  it('is off without a token in the configuration', async () => {
    const answer = await post(await started(''));
    assert.equal(answer.status, 404);
    assert.match(answer.text, /whep\.token/);
  });

  it('refuses what is no offer before it reaches the media path', async () => {
    const to = await started();
    const authorization = `Bearer ${token}`;
    const json = await post(to, { headers: { authorization, 'content-type': 'application/json' } });
    assert.equal(json.status, 415);
    assert.match(json.text, /application\/sdp/);
    assert.equal((await post(to, { body: 'v=0'.padEnd(40_000, 'x') })).status, 413);
    const garbage = await post(to, { body: 'garbage' });
    assert.equal(garbage.status, 400);
    assert.equal(codeOf(garbage), 'MEDIA_OFFER_INVALID');
  });

  it('answers trickled candidates with 405, as the draft allows', async () => {
    const to = await started();
    const answer = await ask(to, '/whep/w1', { method: 'PATCH' });
    assert.equal(answer.status, 405);
    assert.equal(answer.headers.allow, 'DELETE');
  });
});
