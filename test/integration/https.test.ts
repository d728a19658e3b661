import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFile, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { ApiCounts } from '../../src/api/api-counts.ts';
import {
  closeServer,
  createHttpServer,
  defaultHttpLimits,
  listenTcp,
} from '../../src/api/http-listener.ts';
import { RequestEntry } from '../../src/api/request-entry.ts';
import type { ApiServerOptions } from '../../src/api/server.ts';
import { isEarshotError } from '../../src/errors/earshot-error.ts';
import { silentLog } from '../../src/log/log.ts';
import { canonicalName } from '../../src/tls/certificate-name.ts';
import { deviceNames } from '../../src/tls/device-names.ts';
import { type Answer, ask, startApi, type TestApi } from '../fixtures/api-server.ts';
import {
  askTls,
  connectTls,
  deviceCertificate,
  httpsStatus,
  outerAddress,
} from '../fixtures/https-client.ts';
import { writeOwnerPair } from '../fixtures/owner-pair.ts';
import { type LogLine, recordingLog } from '../fixtures/supervised.ts';

const json = { 'content-type': 'application/json' };
const outer = outerAddress();

let api: TestApi;
let ca = '';
let port = 0;
const lines: LogLine[] = [];
before(async () => {
  api = await startApi({ listen: '0.0.0.0', log: recordingLog(lines) });
  ca = await deviceCertificate(api);
  port = (await httpsStatus(api)).port;
});
after(() => api.stop());

describe('HTTPS with the certificate the device makes', () => {
  for (const host of ['127.0.0.1', 'localhost', outer]) {
    it(`serves the page and the API at ${host}, which the certificate names`, async () => {
      const page = await askTls('/', { host, port, ca });
      assert.match(page.text, /<title>Earshot/);
      assert.equal(page.headers['strict-transport-security'], undefined);
      assert.match(String(page.headers['content-security-policy']), /default-src/);
      const status = await askTls('/api/v1/status', { host, port, ca });
      assert.equal(status.status, 200);
      const metrics = await askTls('/metrics', { host, port, ca });
      assert.equal(metrics.status, 200);
    });
  }

  it('names the host, its .local name, localhost, allowed hosts and every address', () => {
    const certificate = new X509Certificate(ca);
    const host = hostname().toLowerCase();
    for (const name of ['localhost', host, `${host}.local`, 'kvm.example.org']) {
      assert.equal(certificate.checkHost(name), name);
    }
    const addresses = deviceNames([]).all;
    assert.ok(addresses.includes('127.0.0.1') && addresses.includes('::1'));
    assert.ok(addresses.includes(outer));
    for (const address of addresses) {
      assert.equal(canonicalName(certificate.checkIP(address) ?? ''), address);
    }
  });

  it('is told at start and in the status, with the fingerprint a browser shows', async () => {
    const { fingerprint256, validTo } = new X509Certificate(ca);
    assert.deepEqual(await httpsStatus(api), {
      url: `https://${outer}:${port}/`,
      port,
      fingerprint256,
      expiresUnixMs: Date.parse(validTo),
      own: false,
    });
    const listening = lines.find(({ text }) => text === 'listening');
    assert.equal(listening?.fields['httpsUrl'], `https://${outer}:${port}/`);
    assert.equal(listening?.fields['fingerprint256'], fingerprint256);
    assert.match(String(listening?.fields['url']), /^http:\/\/localhost:\d+\/$/);
  });

  it('is kept at the next start, in a file only its user can read', async () => {
    const path = join(api.directory, 'tls', 'device.pem');
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    const text = await readFile(path, 'utf8');
    const again = await startApi({ dataDir: api.directory });
    assert.equal(
      (await httpsStatus(again)).fingerprint256,
      (await httpsStatus(api)).fingerprint256,
    );
    await again.stop();
    assert.equal(await readFile(path, 'utf8'), text);
    const renamed = await startApi({ dataDir: api.directory, allowedHosts: ['shelf.example.org'] });
    const other = await httpsStatus(renamed);
    await renamed.stop();
    assert.notEqual(other.fingerprint256, (await httpsStatus(api)).fingerprint256);
  });

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`speaks ${version}`, async () => {
      const socket = await connectTls({ port, minVersion: version, maxVersion: version });
      assert.equal(socket.getProtocol(), version);
      socket.end('GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
      const [answer] = await once(socket, 'data', { signal: AbortSignal.timeout(10_000) });
      assert.match(String(answer), /^HTTP\/1\.1 200 /);
      socket.destroy();
    });
  }

  it('refuses TLS 1.1, counts it, and logs nothing of it', async () => {
    const before = api.server.stats().tlsHandshakesFailed;
    const logged = lines.length;
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' } as const;
    await assert.rejects(connectTls({ port, ...old, ciphers: 'DEFAULT@SECLEVEL=0' }), {
      code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    });
    assert.equal(api.server.stats().tlsHandshakesFailed, before + 1);
    assert.equal(lines.length, logged);
  });
});

describe('who may change something', () => {
  const mute = JSON.stringify({ muted: true });
  const post = (origin: string): Promise<Answer> =>
    askTls('/api/v1/audio/mute', {
      ...{ host: outer, port, ca, method: 'POST', body: mute },
      headers: { ...json, origin },
    });

  it('over HTTPS: its own page, and no page of another scheme, port or site', async () => {
    assert.equal((await post(`https://${outer}:${port}`)).status, 200);
    const plain = api.server.address().port;
    for (const origin of [
      `http://${outer}:${port}`,
      `http://${outer}:${plain}`,
      `https://${outer}:${plain}`,
      `https://${outer}`,
      'https://evil.example',
      'null',
    ]) {
      const { status, text } = await post(origin);
      assert.equal(status, 403, origin);
      assert.match(text, /API_ORIGIN_REFUSED/);
    }
  });

  it('over plain HTTP on this machine: its own page, and none of HTTPS', async () => {
    const host = `localhost:${api.server.address().port}`;
    for (const [origin, expected] of [
      [`http://${host}`, 200],
      [`https://${host}`, 403],
      [`https://localhost:${port}`, 403],
      ['http://evil.example', 403],
    ] as const) {
      const headers = { ...json, host, origin };
      const answer = await ask(api, '/api/v1/audio/mute', {
        ...{ method: 'POST', headers, body: mute, host: '127.0.0.1' },
      });
      assert.equal(answer.status, expected, origin);
    }
  });

  it('by WebSocket: the same', async () => {
    const plain = api.server.address().port;
    const opens = async (url: string, origin: string): Promise<number> => {
      const socket = new WebSocket(`${url}/api/v1/session`, { ca, origin });
      const status = await Promise.race([
        once(socket, 'open').then(() => 101),
        once(socket, 'unexpected-response').then(([, answer]) => Number(answer.statusCode)),
      ]);
      socket.on('error', () => undefined);
      socket.terminate();
      return status;
    };
    const secure = `wss://${outer}:${port}`;
    assert.equal(await opens(secure, `https://${outer}:${port}`), 101);
    assert.equal(await opens(secure, `http://${outer}:${port}`), 403);
    assert.equal(await opens(secure, `http://${outer}:${plain}`), 403);
    assert.equal(await opens(secure, 'https://evil.example'), 403);
    const local = `ws://127.0.0.1:${plain}`;
    assert.equal(await opens(local, `http://127.0.0.1:${plain}`), 101);
    assert.equal(await opens(local, `https://127.0.0.1:${plain}`), 403);
    assert.equal(await opens(local, `https://127.0.0.1:${port}`), 403);
  });
});

describe('plain HTTP', () => {
  const askOuter = (path: string, options: Parameters<typeof ask>[2] = {}): Promise<Answer> => {
    const headers = { host: `${outer}:${api.server.address().port}`, ...options.headers };
    return ask(api, path, { ...options, host: outer, headers });
  };

  it('serves this machine', async () => {
    const host = '127.0.0.1';
    assert.equal((await ask(api, '/', { host })).status, 200);
    assert.equal((await ask(api, '/metrics', { host })).status, 200);
  });

  for (const [method, path] of [
    ['GET', '/'],
    ['GET', '/metrics'],
    ['GET', '/api/v1/status?x=%2F&y'],
    ['GET', '/api/v1/events'],
    ['POST', '/api/v1/audio/mute'],
    ['DELETE', '/nowhere'],
    ['OPTIONS', '/api/v1/status'],
  ] as const) {
    it(`sends ${method} ${path} from elsewhere to HTTPS, and does nothing`, async () => {
      const { muted } = api.services.audio.mute();
      const body = method === 'POST' ? JSON.stringify({ muted: !muted }) : '';
      const answer = await askOuter(path, { method, body, headers: json });
      assert.equal(answer.status, 308);
      assert.equal(answer.headers.location, `https://${outer}:${port}${path}`);
      assert.equal(answer.headers['cache-control'], 'no-store');
      assert.equal(answer.headers['strict-transport-security'], undefined);
      assert.equal(answer.text, '');
      assert.equal(api.services.audio.mute().muted, muted);
    });
  }

  it('is followed by a client to the same answer, body and all', async () => {
    const { muted } = api.services.audio.mute();
    const body = JSON.stringify({ muted: !muted });
    const { location = '' } = (await askOuter('/api/v1/audio/mute', { method: 'POST' })).headers;
    const { hostname: host, pathname } = new URL(location);
    const options = { host, port, ca, method: 'POST', body, headers: json };
    assert.equal((await askTls(pathname, options)).status, 200);
    assert.equal(api.services.audio.mute().muted, !muted);
  });

  it('keeps the name that was asked for, when it is the device’s', async () => {
    const headers = { host: 'KVM.example.org:8080' };
    const { status, headers: answered } = await askOuter('/a', { headers });
    assert.equal(status, 308);
    assert.equal(answered.location, `https://kvm.example.org:${port}/a`);
  });

  for (const host of ['evil.example', 'kvm.example.org@evil.example']) {
    it(`leads nowhere for the Host ${JSON.stringify(host)}`, async () => {
      const answer = await askOuter('/', { headers: { host } });
      assert.equal(answer.status, 403);
      assert.equal(answer.headers.location, undefined);
    });
  }

  it('takes only the path of an absolute URL', async () => {
    const answer = await askOuter('http://evil.example/x?y');
    assert.equal(answer.headers.location, `https://${outer}:${port}/x?y`);
    assert.equal((await askOuter('*', { method: 'OPTIONS' })).status, 404);
  });

  it('sends on a client that offers another protocol', async () => {
    const headers = { connection: 'upgrade', upgrade: 'h2c' };
    const answer = await askOuter('/a?b', { headers });
    assert.equal(answer.status, 308);
    assert.equal(answer.headers.location, `https://${outer}:${port}/a?b`);
  });

  it('refuses a WebSocket from elsewhere and says where it is', async () => {
    const socket = new WebSocket(`ws://${outer}:${api.server.address().port}/api/v1/session`);
    socket.on('error', () => undefined);
    const [, answer] = await once(socket, 'unexpected-response');
    let text = '';
    for await (const chunk of answer) text += chunk;
    socket.terminate();
    assert.equal(answer.statusCode, 403);
    const { error } = JSON.parse(text);
    assert.equal(error.code, 'API_HTTPS_ONLY');
    assert.ok(error.message.includes(`wss://${outer}:${port}/api/v1/session`), error.message);
  });

  it('is counted', () => {
    const redirects = api.server.stats().requests.filter(({ route }) => route === 'redirect');
    assert.ok(redirects.some(({ method, status }) => method === 'GET' && status === 308));
  });
});

describe('the headers of HTTPS alone', () => {
  it('are on its every answer, refusals too, and on none of plain HTTP', async (t) => {
    const counts = new ApiCounts();
    const entry = new RequestEntry({
      ...{ names: new Set(['localhost']), counts, log: silentLog, httpsPort: () => 443 },
      fetch: () => new Response('here'),
      sockets: new Map(),
      httpsHeaders: { 'strict-transport-security': 'max-age=1' },
    });
    for (const [kind, expected] of [
      ['https', 'max-age=1'],
      ['http', null],
      ['control', null],
    ] as const) {
      const server = createHttpServer(entry.handlers(kind), defaultHttpLimits);
      t.after(() => closeServer(server));
      const where = { host: '127.0.0.1', port: 0, portKey: 'https.port' } as const;
      const url = `http://127.0.0.1:${(await listenTcp(server, where)).port}/`;
      for (const headers of [{}, { origin: 'http://evil.example' }]) {
        const answer = await fetch(url, { method: 'POST', headers });
        assert.equal(answer.headers.get('strict-transport-security'), expected);
        assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
      }
    }
  });
});

describe('the listeners', () => {
  it('say which port of the configuration is taken, and leave nothing open', async () => {
    const options: Partial<ApiServerOptions> = { https: { port, certificate: '', key: '' } };
    await assert.rejects(startApi(options), (error: unknown) => {
      assert.ok(isEarshotError(error, 'API_PORT_IN_USE'));
      assert.match(error.message, new RegExp(`port ${port}; .* https\\.port`));
      return true;
    });
    const where = { port: api.server.address().port, listen: '0.0.0.0' };
    await assert.rejects(startApi(where), /another http\.port/);
  });

  it('use the owner’s certificate, and refuse one that is faulty before anything is served', async (t) => {
    const pair = await writeOwnerPair();
    t.after(() => rm(pair.directory, { recursive: true }));
    const https = { port: 0, certificate: pair.certificate, key: pair.key };
    const own = await startApi({ https });
    t.after(own.stop);
    const status = await httpsStatus(own);
    assert.equal(status.own, true);
    assert.equal(status.fingerprint256, new X509Certificate(pair.certificatePem).fingerprint256);
    const where = { host: 'localhost', port: status.port, ca: pair.certificatePem };
    assert.equal((await askTls('/', where)).status, 200);
    await assert.rejects(stat(join(own.directory, 'tls')), { code: 'ENOENT' });
    await assert.rejects(startApi({ https: { ...https, key: pair.certificate } }), (error) =>
      isEarshotError(error, 'CONFIG_INVALID'),
    );
  });
});
