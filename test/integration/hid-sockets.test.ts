import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { defaultHidSocketLimits } from '../../src/api/hid-sockets.ts';
import { type HidWay, hidProtocol } from '../../src/media/hid-channels.ts';
import { mediaService } from '../../src/media/media-service.ts';
import { startApi, type TestApi } from '../fixtures/api-server.ts';
import { InMemoryServices } from '../fixtures/in-memory-services.ts';
import { startMediaHub } from '../fixtures/media-hub.ts';
import { waitFor } from '../fixtures/wait-for.ts';

interface ClientOptions {
  readonly path?: string;
  readonly protocols?: readonly string[];
  readonly origin?: string;
  readonly autoPong?: boolean;
}

let api: TestApi;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.stop());

function client(options: ClientOptions = {}): WebSocket {
  const { port } = api.server.address();
  const { path = '/api/v1/hid?session=s1', protocols = [hidProtocol], autoPong = true } = options;
  return new WebSocket(`ws://127.0.0.1:${port}${path}`, [...protocols], {
    autoPong,
    handshakeTimeout: 10_000,
    ...(options.origin !== undefined && { origin: options.origin }),
  });
}

const opened = (socket: WebSocket) => once(socket, 'open', { signal: AbortSignal.timeout(10_000) });

async function openSession(): Promise<WebSocket> {
  const socket = client({ path: '/api/v1/session', protocols: [] });
  await opened(socket);
  return socket;
}

/** An open socket, what it was sent, how it closed, and its other end. */
async function open(options: ClientOptions = {}) {
  const socket = client(options);
  const messages: Buffer[] = [];
  socket.on('message', (data) => {
    if (Buffer.isBuffer(data)) messages.push(data);
  });
  const closed = once(socket, 'close').then(([code]) => Number(code));
  await opened(socket);
  return { socket, messages, closed, other: api.services.openedHidSockets.at(-1) };
}

/** Status and error code an upgrade was refused with. */
async function refusal(options: ClientOptions): Promise<[number, string]> {
  const socket = client(options);
  socket.on('error', () => undefined);
  const [, answer] = await once(socket, 'unexpected-response', {
    signal: AbortSignal.timeout(10_000),
  });
  let text = '';
  for await (const chunk of answer) text += chunk;
  socket.terminate();
  return [answer.statusCode, JSON.parse(text).error.code];
}

describe('the WebSocket of keyboard and pointer', () => {
  it('carries binary messages both ways', async () => {
    await openSession();
    const { socket, messages, closed, other } = await open();
    assert.ok(other);
    assert.equal(socket.protocol, hidProtocol);
    socket.send(Buffer.from([1, 0, 7]));
    await waitFor('the message', () => other.received.length === 1);
    assert.deepEqual([...(other.received[0] ?? [])], [1, 0, 7]);
    assert.equal(other.socket.send(Uint8Array.of(129, 1)), true);
    await waitFor('the answer', () => messages.length === 1);
    socket.close();
    await closed;
    await waitFor('the device to notice', () => other.closed);
    assert.equal(other.socket.send(Uint8Array.of(129, 1)), false);
  });

  it('refuses an unknown session, a device without keys, another site and a query that is none', async () => {
    await openSession();
    const at = (query: string) => ({ path: `/api/v1/hid${query}` });
    assert.deepEqual(await refusal(at('?session=s2')), [404, 'MEDIA_SESSION_UNKNOWN']);
    assert.deepEqual(await refusal(at('')), [400, 'API_QUERY_INVALID']);
    assert.deepEqual(await refusal(at('?session=s1&x=1')), [400, 'API_QUERY_INVALID']);
    assert.deepEqual(await refusal({ origin: 'http://evil.example' }), [403, 'API_ORIGIN_REFUSED']);
    api.services.hid = undefined;
    assert.deepEqual(await refusal({}), [409, 'HID_NOT_CONFIGURED']);
    assert.equal(api.services.openedHidSockets.length, 0);
  });

  it('takes the place of an older one, and ends with its session', async () => {
    const session = await openSession();
    const first = await open();
    const second = await open();
    assert.equal(await first.closed, 1000);
    assert.equal(second.socket.readyState, WebSocket.OPEN);
    session.close();
    assert.equal(await second.closed, 1000);
  });

  it('closes on a client without the subprotocol, on text and on what is too long', async () => {
    await openSession();
    assert.equal(await (await open({ protocols: [] })).closed, 1002);
    assert.equal(api.services.openedHidSockets.length, 0);
    const text = await open();
    text.socket.send('{}');
    assert.equal(await text.closed, 1003);
    const long = await open();
    long.socket.send(Buffer.alloc(64));
    long.socket.send(Buffer.alloc(65));
    assert.equal(await long.closed, 1009);
    assert.equal(long.other?.received.length, 1);
    await waitFor('the device to notice', () => long.other?.closed);
  });

  it('lets go of a viewer that takes nothing', async () => {
    await openSession();
    const { socket, other } = await open();
    assert.ok(other);
    socket.pause();
    await waitFor('the queue to be full', () => {
      for (let count = 0; count < 1_000; count += 1) {
        if (!other.socket.send(Buffer.alloc(213, 1))) return true;
      }
      return false;
    });
    await waitFor('its keys to be let go of', () => other.closed);
    assert.equal(api.server.stats().socketsDropped, 1);
    socket.terminate();
  });

  it('notices a viewer that vanished', async () => {
    await api.stop();
    api = await startApi({ limits: { hid: { ...defaultHidSocketLimits, pingMs: 30 } } });
    await openSession();
    const silent = await open({ autoPong: false });
    await silent.closed;
    await waitFor('the device to notice', () => silent.other?.closed === true);
  });
});

describe('a real hub behind the WebSocket', () => {
  it('hands messages on, and lets go when the socket closes, another comes or the session ends', async () => {
    const seen: {
      readonly session: string;
      readonly messages: [HidWay, number][];
      closes: number;
    }[] = [];
    const hub = await startMediaHub({
      hid: {
        open: (session, link) => {
          const viewer = { session, messages: [] as [HidWay, number][], closes: 0 };
          seen.push(viewer);
          link.send(Uint8Array.of(131, 2));
          return {
            receive: (message, way) => viewer.messages.push([way, message[0] ?? -1]),
            close: () => {
              viewer.closes += 1;
            },
          };
        },
      },
    });
    await api.stop();
    api = await startApi({ services: { ...new InMemoryServices(), media: mediaService(hub, []) } });
    const session = client({ path: '/api/v1/session', protocols: [] });
    const greeting = await once(session, 'message', { signal: AbortSignal.timeout(10_000) });
    const { session_id: id } = JSON.parse(String(greeting[0]));
    const path = `/api/v1/hid?session=${id}`;
    const first = await open({ path });
    await waitFor('the greeting', () => first.messages.length === 1);
    first.socket.send(Buffer.from([6, 0]));
    await waitFor('the message', () => seen[0]?.messages.length === 1);
    assert.deepEqual(seen[0], { session: id, messages: [['socket', 6]], closes: 0 });
    const second = await open({ path });
    assert.equal(await first.closed, 1000);
    assert.deepEqual(
      seen.map(({ closes }) => closes),
      [1, 0],
    );
    second.socket.terminate();
    await waitFor('the device to notice', () => seen[1]?.closes === 1);
    const third = await open({ path });
    session.close();
    assert.equal(await third.closed, 1000);
    await waitFor('all to be let go of', () => seen.every(({ closes }) => closes === 1));
    assert.equal(seen.length, 3);
    const { hid } = hub.stats();
    assert.deepEqual([hid.received.socket, hid.sent], [1, 3]);
    await api.stop();
    await hub.stop();
  });
});
