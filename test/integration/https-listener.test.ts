import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { PeerCertificate } from 'node:tls';
import { ApiCounts } from '../../src/api/api-counts.ts';
import {
  createHttpServer,
  defaultHttpLimits,
  type HttpHandlers,
  type HttpLimits,
  listenTcp,
} from '../../src/api/http-listener.ts';
import { HttpsListener } from '../../src/api/https-listener.ts';
import { SharedConnections } from '../../src/api/shared-connections.ts';
import { identityOf, type TlsIdentity } from '../../src/tls/identity.ts';
import { makeCertificate } from '../../src/tls/make-certificate.ts';
import { connectTls } from '../fixtures/https-client.ts';
import { type LogLine, recordingLog } from '../fixtures/supervised.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const host = '127.0.0.1';

function newIdentity(): TlsIdentity {
  const nowMs = Date.now();
  const times = { notBeforeMs: nowMs - 1_000, notAfterMs: nowMs + 1e9 };
  const certificate = makeCertificate({ key, commonName: 'desk', names: [host], ...times });
  const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
  return identityOf({ key: pem, certificate, own: false });
}

const handlers: HttpHandlers = {
  request: (_, outgoing) => outgoing.end('hello'),
  upgrade: (_, socket) => socket.destroy(),
};

/** A listener whose next look at its certificate finds what `next` says. */
async function listening(t: TestContext, limits: Partial<HttpLimits> = {}) {
  const counts = new ApiCounts();
  const lines: LogLine[] = [];
  const all = { ...defaultHttpLimits, ...limits };
  const connections = new SharedConnections(all.maxConnections);
  const next: (() => TlsIdentity | undefined)[] = [];
  const listener = new HttpsListener({
    ...{ host, port: 0, handlers, limits: all, connections, counts, checkMs: 5 },
    source: { load: async () => newIdentity(), check: async () => next.shift()?.() },
    log: recordingLog(lines),
  });
  const stop = async () => {
    const stopped = listener.stop();
    connections.closeAll();
    await stopped;
  };
  t.after(stop);
  const identity = newIdentity();
  await listener.start(identity);
  return { listener, connections, counts, lines, next, identity, limits: all, stop };
}

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, host);
  socket.on('error', () => undefined);
  await once(socket, 'connect', { signal: AbortSignal.timeout(10_000) });
  socket.resume();
  return socket;
}

const closing = (socket: Socket) => waitFor('the server to close it', () => socket.closed);

async function shown(port: number): Promise<PeerCertificate> {
  const socket = await connectTls({ host, port });
  const certificate = socket.getPeerCertificate();
  socket.destroy();
  return certificate;
}

describe('the HTTPS listener', () => {
  it('shows a new certificate without a restart; what is connected stays', async (t) => {
    const { listener, next, identity, lines } = await listening(t);
    const { port } = listener;
    const old = await connectTls({ host, port });
    assert.equal(old.getPeerCertificate().fingerprint256, identity.fingerprint256);
    const renewed = newIdentity();
    next.push(() => renewed);
    await waitFor(
      'the new certificate',
      async () => listener.status()?.fingerprint256 === renewed.fingerprint256,
    );
    assert.equal((await shown(port)).fingerprint256, renewed.fingerprint256);
    assert.equal(listener.port, port);
    const [said] = lines.filter(({ text }) => text === 'HTTPS has another certificate');
    assert.equal(said?.fields['fingerprint256'], renewed.fingerprint256);
    old.write('GET / HTTP/1.1\r\nhost: desk\r\nconnection: close\r\n\r\n');
    const [answer] = await once(old, 'data', { signal: AbortSignal.timeout(10_000) });
    assert.match(String(answer), /^HTTP\/1\.1 200 /);
    const tooOld = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' } as const;
    await assert.rejects(connectTls({ host, port, ...tooOld, ciphers: 'DEFAULT@SECLEVEL=0' }));
  });

  it('keeps its certificate when the look at it fails, and looks again', async (t) => {
    const { listener, next, identity, lines } = await listening(t);
    const renewed = newIdentity();
    next.push(
      () => {
        throw new Error('no disk');
      },
      () => ({ ...renewed, key: 'no key' }),
      () => renewed,
    );
    await waitFor(
      'the new certificate',
      () => listener.status()?.fingerprint256 === renewed.fingerprint256,
    );
    const failed = lines.filter(({ text }) => /could not be looked after/.test(text));
    assert.equal(failed.length, 2);
    assert.notEqual(identity.fingerprint256, renewed.fingerprint256);
  });

  it('closes a connection that speaks plain HTTP, and counts it', async (t) => {
    const { listener, counts } = await listening(t);
    const socket = await connected(listener.port);
    socket.write('GET / HTTP/1.1\r\nhost: desk\r\n\r\n');
    await closing(socket);
    assert.equal(counts.tlsHandshakesFailed, 1);
    await shown(listener.port);
  });

  for (const [name, bytes] of [
    ['nothing', ''],
    ['half a ClientHello', '\x16\x03\x01\x02\x00\x01'],
  ] as const) {
    it(`closes a connection that sends ${name} and no more`, async (t) => {
      const { listener, counts } = await listening(t, { handshakeMs: 50 });
      const socket = await connected(listener.port);
      socket.write(bytes, 'latin1');
      await closing(socket);
      await waitFor('it is counted', () => counts.tlsHandshakesFailed === 1);
    });
  }

  it('has the deadlines of plain HTTP behind the handshake', async (t) => {
    const { listener } = await listening(t, { headersMs: 50, checkMs: 20, requestMs: 100 });
    const socket = await connectTls({ host, port: listener.port });
    socket.resume();
    socket.write('GET / HTTP/1.1\r\nhost: de');
    await closing(socket);
  });

  it('stops in the middle of handshakes and requests, more than once', async (t) => {
    const { listener, stop } = await listening(t);
    const halves = [await connected(listener.port), await connected(listener.port)];
    const request = await connectTls({ host, port: listener.port });
    request.resume();
    request.write('GET / HTTP/1.1\r\nhost: de');
    await Promise.all([stop(), stop()]);
    for (const socket of [...halves, request]) await closing(socket);
    await stop();
    assert.equal(listener.status(), null);
  });
});

describe('a bound on the connections of two servers', () => {
  it('holds for both together, and each can use what the other does not', async (t) => {
    const { listener, connections, limits } = await listening(t, { maxConnections: 3 });
    const plain = createHttpServer(handlers, limits);
    t.after(() => plain.close());
    connections.add(plain);
    const { port } = await listenTcp(plain, { host, port: 0, portKey: 'http.port' });
    const open = () =>
      new Promise<number>((resolve) => plain.getConnections((_, count) => resolve(count)));
    const kept = [await connected(listener.port), await connected(listener.port)];
    kept.push(await connected(port));
    await waitFor('all three are accepted', () => plain.maxConnections === 1);
    for (const full of [port, listener.port]) await closing(await connected(full));
    for (const socket of kept.splice(0)) socket.destroy();
    await waitFor('all are gone', () => plain.maxConnections === 3);
    for (let n = 0; n < 3; n += 1) kept.push(await connected(port));
    await waitFor('plain HTTP has them all', async () => (await open()) === 3);
    await closing(await connected(listener.port));
    for (const socket of kept) socket.destroy();
  });
});
