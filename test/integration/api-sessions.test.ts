import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { defaultSessionSocketLimits } from '../../src/api/session-sockets.ts';
import { startApi, type TestApi } from '../fixtures/api-server.ts';
import { waitFor } from '../fixtures/wait-for.ts';

interface ClientOptions {
  readonly origin?: string;
  readonly host?: string;
  readonly path?: string;
  readonly autoPong?: boolean;
}

function client(api: TestApi, options: ClientOptions = {}): WebSocket {
  const { port } = api.server.address();
  const { origin, host, path = '/api/v1/session', autoPong = true } = options;
  return new WebSocket(`ws://127.0.0.1:${port}${path}`, {
    autoPong,
    handshakeTimeout: 10_000,
    ...(origin !== undefined && { origin }),
    ...(host !== undefined && { headers: { host } }),
  });
}

/** An open socket and what it was sent. */
async function openClient(api: TestApi, options: ClientOptions = {}) {
  const socket = client(api, options);
  const messages: unknown[] = [];
  socket.on('message', (data) => messages.push(JSON.parse(String(data))));
  const closed = once(socket, 'close').then(([code, reason]) => ({
    code: Number(code),
    reason: String(reason),
  }));
  await once(socket, 'open', { signal: AbortSignal.timeout(10_000) });
  return { socket, messages, closed };
}

/** The status an upgrade was refused with. */
async function refusal(api: TestApi, options: ClientOptions): Promise<number> {
  const socket = client(api, options);
  socket.on('error', () => undefined);
  const [, answer] = await once(socket, 'unexpected-response', {
    signal: AbortSignal.timeout(10_000),
  });
  answer.resume();
  socket.terminate();
  return answer.statusCode;
}

describe('the session WebSocket', () => {
  it('carries messages both ways and ends the session when it closes', async (t) => {
    const api = await startApi();
    t.after(api.stop);
    const { socket, messages, closed } = await openClient(api);
    const [session] = api.services.openedSessions;
    assert.ok(session);
    await waitFor('the first message arrived', () => messages.length === 1);
    assert.deepEqual(messages, [{ type: 'session_state', state: 'new' }]);
    socket.send('{"type":"webrtc_ready"}');
    socket.send('no JSON');
    await waitFor('both messages arrived', () => session.received.length === 2);
    assert.deepEqual(session.received, ['{"type":"webrtc_ready"}', 'no JSON']);
    socket.close();
    await closed;
    await waitFor('the session was closed', () => session.closedWith !== undefined);
    assert.equal(api.server.stats().socketsOpen, 0);
  });

  it('closes when the session asks for it, with the reason', async (t) => {
    const api = await startApi();
    t.after(api.stop);
    const { closed } = await openClient(api);
    api.services.openedSessions[0]?.viewer.end('é'.repeat(200));
    const { code, reason } = await closed;
    assert.equal(code, 1000);
    assert.equal(reason, 'é'.repeat(60));
  });

  it('says why when all places are taken', async (t) => {
    const api = await startApi();
    t.after(api.stop);
    api.services.maxSessions = 1;
    await openClient(api);
    const { messages, closed } = await openClient(api);
    const { code } = await closed;
    assert.equal(code, 1013);
    assert.deepEqual(messages, [
      { type: 'error', code: 'MEDIA_TOO_MANY_VIEWERS', message: '1 viewers are connected.' },
    ]);
    assert.equal(api.services.openedSessions.length, 1);
  });

  it('refuses a page of another site, a name that is not the device’s and another path', async (t) => {
    const api = await startApi();
    t.after(api.stop);
    assert.equal(await refusal(api, { origin: 'http://evil.example' }), 403);
    assert.equal(await refusal(api, { origin: 'null' }), 403);
    assert.equal(await refusal(api, { host: 'evil.example' }), 403);
    assert.equal(await refusal(api, { path: '/api/v1/status' }), 404);
    assert.equal(await refusal(api, { path: '/' }), 404);
    assert.equal(api.services.openedSessions.length, 0);
    const { port } = api.server.address();
    await openClient(api, { origin: `http://127.0.0.1:${port}` });
  });

  it('refuses a message that is too large', async (t) => {
    const api = await startApi();
    t.after(api.stop);
    const { socket, closed } = await openClient(api);
    socket.send('x'.repeat(defaultSessionSocketLimits.maxMessageBytes));
    socket.send('x'.repeat(defaultSessionSocketLimits.maxMessageBytes + 1));
    assert.equal((await closed).code, 1009);
    const [session] = api.services.openedSessions;
    assert.equal(session?.received.length, 1);
    await waitFor('the session was closed', () => session?.closedWith !== undefined);
  });

  it('refuses a binary message', async (t) => {
    const api = await startApi();
    t.after(api.stop);
    const { socket, closed } = await openClient(api);
    socket.send(Buffer.from([1, 2, 3]));
    socket.send('{"type":"webrtc_ready"}');
    assert.equal((await closed).code, 1003);
    assert.deepEqual(api.services.openedSessions[0]?.received, []);
    assert.equal(api.server.stats().socketsDropped, 1);
  });

  it('ends a viewer that floods', async (t) => {
    const api = await startApi({
      limits: { sessions: { ...defaultSessionSocketLimits, maxMessages: 20 } },
    });
    t.after(api.stop);
    const { socket, closed } = await openClient(api);
    for (let i = 0; i < 50; i += 1) socket.send('{}');
    assert.equal((await closed).code, 1008);
    assert.equal(api.services.openedSessions[0]?.received.length, 20);
    assert.equal(api.server.stats().socketsDropped, 1);
    await api.stop();
  });

  it('notices a viewer that vanished without closing', async (t) => {
    const api = await startApi({
      limits: { sessions: { ...defaultSessionSocketLimits, pingMs: 30 } },
    });
    t.after(api.stop);
    const silent = await openClient(api, { autoPong: false });
    const [session] = api.services.openedSessions;
    await silent.closed;
    await waitFor('the session was closed', () => session?.closedWith !== undefined);
    assert.equal(api.server.stats().socketsDropped, 1);
    await api.stop();
  });

  it('keeps a viewer that only answers pings', async (t) => {
    const api = await startApi({
      limits: { sessions: { ...defaultSessionSocketLimits, pingMs: 30 } },
    });
    t.after(api.stop);
    const { socket } = await openClient(api);
    let pings = 0;
    socket.on('ping', () => {
      pings += 1;
    });
    await waitFor('five pings were answered', () => pings >= 5);
    assert.equal(socket.readyState, WebSocket.OPEN);
    await api.stop();
  });

  it('drops a viewer for whom too much waits', async (t) => {
    const api = await startApi({
      limits: { sessions: { ...defaultSessionSocketLimits, maxQueuedBytes: 64 * 1024 } },
    });
    t.after(api.stop);
    const { socket, closed } = await openClient(api);
    socket.pause();
    const [session] = api.services.openedSessions;
    const sdp = 'x'.repeat(16 * 1024);
    await waitFor('the viewer was dropped', () => {
      session?.viewer.send({ type: 'webrtc_offer', sdp });
      return api.server.stats().socketsDropped === 1;
    });
    await waitFor('the session was closed', () => session?.closedWith !== undefined);
    session?.viewer.send({ type: 'webrtc_offer', sdp });
    socket.terminate();
    await closed;
    await api.stop();
  });

  it('closes every socket when the server stops, also one that does not answer', async (t) => {
    const api = await startApi({
      limits: { sessions: { ...defaultSessionSocketLimits, closeMs: 50 } },
    });
    t.after(api.stop);
    const { closed } = await openClient(api);
    const deaf = connect(api.server.address().port, '127.0.0.1');
    deaf.on('error', () => undefined);
    const key = 'dGhlIHNhbXBsZSBub25jZQ==';
    deaf.write(
      `GET /api/v1/session HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${key}\r\n\r\n`,
    );
    deaf.pause();
    await waitFor('both are open', () => api.server.stats().socketsOpen === 2);
    await api.stop();
    assert.equal((await closed).code, 1001);
    assert.ok(api.services.openedSessions.every(({ closedWith }) => closedWith !== undefined));
    deaf.destroy();
  });

  it('survives handshakes that are none', async (t) => {
    const api = await startApi();
    t.after(api.stop);
    const { port } = api.server.address();
    for (const headers of [
      'upgrade: websocket\r\nconnection: upgrade',
      'upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 1\r\nsec-websocket-key: x',
      'upgrade: nonsense\r\nconnection: upgrade',
    ]) {
      const socket = connect(port, '127.0.0.1');
      socket.write(`GET /api/v1/session HTTP/1.1\r\nhost: localhost\r\n${headers}\r\n\r\n`);
      const [first] = await once(socket.setEncoding('utf8'), 'data', {
        signal: AbortSignal.timeout(10_000),
      });
      assert.match(String(first), /^HTTP\/1\.1 4\d\d /);
      socket.destroy();
    }
    await openClient(api);
    await api.stop();
  });
});
