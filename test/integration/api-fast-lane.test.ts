import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { defaultFastLaneSocketLimits } from '../../src/api/fast-lane-sockets.ts';
import { fastLaneProtocol, maxFastLaneMessageBytes } from '../../src/media/fast-lane-packets.ts';
import { startApi, type TestApi } from '../fixtures/api-server.ts';
import { waitFor } from '../fixtures/wait-for.ts';

interface ClientOptions {
  readonly path?: string;
  readonly protocols?: readonly string[];
  readonly autoPong?: boolean;
  readonly origin?: string;
}

function client(api: TestApi, options: ClientOptions = {}): WebSocket {
  const { port } = api.server.address();
  const { path = '/api/v1/fast-lane?session=s1', protocols = [fastLaneProtocol] } = options;
  const { autoPong = true, origin } = options;
  return new WebSocket(`ws://127.0.0.1:${port}${path}`, [...protocols], {
    autoPong,
    handshakeTimeout: 10_000,
    ...(origin !== undefined && { origin }),
  });
}

/** A session, s1, s2 and so on. */
async function openSession(api: TestApi): Promise<WebSocket> {
  const socket = client(api, { path: '/api/v1/session', protocols: [] });
  await once(socket, 'open', { signal: AbortSignal.timeout(10_000) });
  return socket;
}

/** An open socket of the fast lane, what it was sent and how it closed. */
async function openLane(api: TestApi, options: ClientOptions = {}) {
  const socket = client(api, options);
  const messages: Buffer[] = [];
  socket.on('message', (data) => {
    if (Buffer.isBuffer(data)) messages.push(data);
  });
  const closed = once(socket, 'close').then(([code, reason]) => ({
    code: Number(code),
    reason: String(reason),
  }));
  await once(socket, 'open', { signal: AbortSignal.timeout(10_000) });
  const lane = api.services.openedFastLanes.at(-1);
  return { socket, messages, closed, lane };
}

/** Status and error code an upgrade was refused with. */
async function refusal(api: TestApi, options: ClientOptions): Promise<[number, string]> {
  const socket = client(api, options);
  socket.on('error', () => undefined);
  const [, answer] = await once(socket, 'unexpected-response', {
    signal: AbortSignal.timeout(10_000),
  });
  let text = '';
  for await (const chunk of answer) text += chunk;
  socket.terminate();
  return [answer.statusCode, JSON.parse(text).error.code];
}

describe('the WebSocket of the fast lane', () => {
  it('carries binary messages both ways', async (t) => {
    const api = await startApi();
    t.after(api.stop);
    await openSession(api);
    const { socket, messages, closed, lane } = await openLane(api);
    assert.ok(lane);
    assert.equal(socket.protocol, fastLaneProtocol);
    socket.send(Buffer.from([3, 1, 2]));
    await waitFor('the message arrived', () => lane.received.length === 1);
    assert.deepEqual([...(lane.received[0] ?? [])], [3, 1, 2]);
    assert.equal(lane.socket.send(Uint8Array.of(1, 9)), true);
    await waitFor('the answer arrived', () => messages.length === 1);
    assert.deepEqual([...(messages[0] ?? [])], [1, 9]);
    socket.close();
    await closed;
    await waitFor('the device noticed', () => lane.closed);
    assert.equal(lane.socket.send(Uint8Array.of(1, 9)), false);
  });

  it('refuses a session that is not there, another site and a query that is none', async (t) => {
    const api = await startApi();
    t.after(api.stop);
    const session = await openSession(api);
    const at = (query: string) => ({ path: `/api/v1/fast-lane${query}` });
    assert.deepEqual(await refusal(api, at('?session=s2')), [404, 'MEDIA_SESSION_UNKNOWN']);
    assert.deepEqual(await refusal(api, at('')), [400, 'API_QUERY_INVALID']);
    assert.deepEqual(await refusal(api, at('?session=s1&x=1')), [400, 'API_QUERY_INVALID']);
    assert.deepEqual(await refusal(api, at(`?session=${'s'.repeat(65)}`)), [
      400,
      'API_QUERY_INVALID',
    ]);
    const evil = { origin: 'http://evil.example' };
    assert.deepEqual(await refusal(api, evil), [403, 'API_ORIGIN_REFUSED']);
    session.close();
    await waitFor(
      'the session is over',
      () => api.services.openedSessions[0]?.closedWith !== undefined,
    );
    assert.deepEqual(await refusal(api, {}), [404, 'MEDIA_SESSION_UNKNOWN']);
    assert.equal(api.services.openedFastLanes.length, 0);
  });

  it('closes on a client without the subprotocol', async (t) => {
    const api = await startApi();
    t.after(api.stop);
    await openSession(api);
    const { closed } = await openLane(api, { protocols: [] });
    assert.equal((await closed).code, 1002);
    assert.equal(api.services.openedFastLanes.length, 0);
    const other = client(api, { protocols: ['earshot.fast-lane.2'] });
    const [error] = await once(other, 'error', { signal: AbortSignal.timeout(10_000) });
    assert.match(String(error), /subprotocol/);
    assert.equal(api.services.openedFastLanes.length, 0);
  });

  it('takes the place of an older one, and ends with its session', async (t) => {
    const api = await startApi();
    t.after(api.stop);
    const session = await openSession(api);
    const first = await openLane(api);
    const second = await openLane(api);
    assert.equal((await first.closed).code, 1000);
    assert.equal(second.socket.readyState, WebSocket.OPEN);
    session.close();
    assert.equal((await second.closed).code, 1000);
  });

  it('refuses text, what is too long and a flood', async (t) => {
    const api = await startApi({
      limits: { fastLanes: { ...defaultFastLaneSocketLimits, maxMessages: 20 } },
    });
    t.after(api.stop);
    await openSession(api);
    const text = await openLane(api);
    text.socket.send('{}');
    assert.equal((await text.closed).code, 1003);
    const long = await openLane(api);
    long.socket.send(Buffer.alloc(maxFastLaneMessageBytes));
    long.socket.send(Buffer.alloc(maxFastLaneMessageBytes + 1));
    assert.equal((await long.closed).code, 1009);
    assert.equal(long.lane?.received.length, 1);
    const flood = await openLane(api);
    for (let count = 0; count < 50; count += 1) flood.socket.send(Buffer.alloc(3));
    assert.equal((await flood.closed).code, 1008);
    assert.equal(flood.lane?.received.length, 20);
    await api.stop();
  });

  it('takes no message while too much waits, and goes on when it does not', async (t) => {
    const api = await startApi();
    t.after(api.stop);
    await openSession(api);
    const { socket, messages, lane } = await openLane(api);
    assert.ok(lane);
    socket.pause();
    let sent = 0;
    await waitFor('the queue was full', () => {
      for (let count = 0; count < 1_000; count += 1) {
        if (!lane.socket.send(Buffer.alloc(1_500, 1))) return true;
        sent += 1;
      }
      return false;
    });
    socket.resume();
    await waitFor('all that it took arrived', () => messages.length === sent);
    assert.equal(lane.socket.send(Uint8Array.of(1)), true);
    await waitFor('the next one too', () => messages.length === sent + 1);
    assert.equal(api.server.stats().socketsDropped, 0);
  });

  it('takes no message while an answer to a ping is late', async (t) => {
    const api = await startApi({
      limits: { fastLanes: { ...defaultFastLaneSocketLimits, maxLateMs: 40 } },
    });
    t.after(api.stop);
    await openSession(api);
    const { socket, lane } = await openLane(api, { autoPong: false });
    assert.ok(lane);
    let pings = 0;
    socket.on('ping', () => {
      pings += 1;
      if (pings === 1) socket.pong();
    });
    socket.send(Buffer.alloc(3));
    await waitFor('the first ping was answered', () => pings === 1);
    // The pong is on the wire before the next message, which makes the device ping again.
    socket.send(Buffer.alloc(3));
    await waitFor('the second ping came', () => pings === 2);
    assert.equal(lane.socket.send(Uint8Array.of(1)), true);
    await waitFor('the answer is late', () => !lane.socket.send(Uint8Array.of(1)));
    socket.pong();
    await waitFor('it flows again', () => lane.socket.send(Uint8Array.of(1)));
  });

  it('notices a viewer that vanished, and closes with the server', async (t) => {
    const api = await startApi({
      limits: { fastLanes: { ...defaultFastLaneSocketLimits, pingMs: 30 } },
    });
    t.after(api.stop);
    await openSession(api);
    const silent = await openLane(api, { autoPong: false });
    await silent.closed;
    await waitFor('the device noticed', () => silent.lane?.closed === true);
    const { closed } = await openLane(api);
    await api.stop();
    assert.equal((await closed).code, 1001);
    assert.equal(api.server.stats().socketsOpen, 0);
  });
});
