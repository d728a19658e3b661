import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as v from 'valibot';
import { statusSchema } from '../../src/api/schema.ts';
import { ApiServer, type ApiServerOptions } from '../../src/api/server.ts';
import { isEarshotError } from '../../src/errors/earshot-error.ts';
import { createLog, silentLog } from '../../src/log/log.ts';
import { ask, startApi } from '../fixtures/api-server.ts';
import { InMemoryServices } from '../fixtures/in-memory-services.ts';
import { waitFor } from '../fixtures/wait-for.ts';

let root = '';
let count = 0;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'earshot-listen-'));
});
after(() => rm(root, { recursive: true }));

function newServer(changes: Partial<ApiServerOptions> = {}): { server: ApiServer; socket: string } {
  count += 1;
  const socket = join(root, `c${count}.sock`);
  const server = new ApiServer({
    listen: '127.0.0.1',
    port: 0,
    https: { port: 0, certificate: '', key: '' },
    dataDir: join(root, 'data'),
    allowedHosts: [],
    controlSocket: socket,
    webRoot: join(root, 'web'),
    services: new InMemoryServices(),
    log: silentLog,
    version: '0',
    ...changes,
  });
  return { server, socket };
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

describe('listening', () => {
  it('says that a port is taken, naming address, port and what to do, and leaves nothing open', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    assert.ok(address !== null && typeof address === 'object');
    const { server, socket } = newServer({ port: address.port });
    await assert.rejects(server.start(), (error: unknown) => {
      assert.ok(isEarshotError(error, 'API_PORT_IN_USE'));
      for (const part of ['127.0.0.1', String(address.port), 'http.port']) {
        assert.ok(error.message.includes(part), error.message);
      }
      assert.equal(error.exitCode, 69);
      return true;
    });
    assert.equal(await exists(socket), false);
    taken.close();
    await server.start();
    await server.stop();
  });

  it('says that an address is not this machine’s', async () => {
    const { server } = newServer({ listen: '192.0.2.1' });
    await assert.rejects(server.start(), (error: unknown) => {
      return isEarshotError(error, 'API_LISTEN_FAILED') && error.message.includes('http.listen');
    });
  });

  it('stops more than once, and before it was started', async () => {
    const { server, socket } = newServer();
    await server.stop();
    await server.start();
    await Promise.all([server.stop(), server.stop()]);
    await server.stop();
    assert.equal(await exists(socket), false);
  });

  it('listens on IPv6', async () => {
    const { server } = newServer({ listen: '::1' });
    await server.start();
    assert.match(server.url(), /^http:\/\/\[::1\]:\d+\/$/);
    assert.equal((await fetch(`${server.url()}api/v1/status`)).status, 200);
    await server.stop();
  });

  for (const [listen, localOnly] of [
    ['127.0.0.1', true],
    ['127.9.9.9', true],
    ['0.0.0.0', false],
  ] as const) {
    it(`says whether others can connect when it listens on ${listen}`, async () => {
      const lines: string[] = [];
      const log = createLog({
        level: 'info',
        role: 'main',
        destination: { write: (line) => lines.push(line) },
      });
      const { server } = newServer({ listen, log });
      await server.start();
      const answer = await fetch(`${server.url()}api/v1/status`);
      const status = v.parse(statusSchema, await answer.json());
      assert.equal(status.localOnly, localOnly);
      const listening = lines
        .map((line) => JSON.parse(line))
        .find(({ msg }) => msg === 'listening');
      assert.equal(listening.localOnly, localOnly);
      assert.equal(
        lines.some((line) => line.includes('no accounts yet')),
        !localOnly,
      );
      await server.stop();
    });
  }
});

describe('a certificate that takes its time', () => {
  it('keeps neither the control socket nor plain HTTP waiting', async () => {
    const dataDir = join(root, 'slow');
    const file = join(dataDir, 'tls', 'device.pem');
    await mkdir(join(dataDir, 'tls'), { recursive: true });
    // Reading it waits until somebody writes.
    execFileSync('mkfifo', [file]);
    const { server, socket } = newServer({ dataDir });
    const started = server.start();
    const api = {
      ...{ server, socket, services: new InMemoryServices(), directory: dataDir },
      stop: () => server.stop(),
    };
    const status = async (control: boolean) => {
      try {
        const { json } = await ask(api, '/api/v1/status', { control });
        return v.parse(statusSchema, json);
      } catch {
        return undefined; // It does not listen yet.
      }
    };
    assert.equal((await waitFor('the control socket', () => status(true))).https, null);
    assert.equal((await waitFor('plain HTTP', () => status(false))).https, null);
    await writeFile(file, 'not a certificate');
    await started;
    assert.ok((await status(false))?.https);
    await api.stop();
  });
});

describe('the control socket', () => {
  it('has mode 0660 and is gone after stop', async () => {
    const { server, socket } = newServer();
    await server.start();
    assert.equal((await stat(socket)).mode & 0o777, 0o660);
    await server.stop();
    assert.equal(await exists(socket), false);
  });

  it('replaces the socket a crash left', async () => {
    const { server, socket } = newServer();
    const script = `require('node:net').createServer().listen(${JSON.stringify(socket)}, () => process.kill(process.pid, 'SIGKILL'))`;
    await once(spawn(process.execPath, ['-e', script]), 'exit');
    assert.equal(await exists(socket), true);
    await server.start();
    assert.equal((await stat(socket)).mode & 0o777, 0o660);
    await server.stop();
  });

  it('leaves the socket of an Earshot that runs alone', async (t) => {
    const first = await startApi();
    t.after(first.stop);
    const { server } = newServer({ controlSocket: first.socket });
    await assert.rejects(server.start(), (error: unknown) => {
      return (
        isEarshotError(error, 'API_LISTEN_FAILED') && /another Earshot answers/.test(error.message)
      );
    });
    assert.equal((await ask(first, '/api/v1/status', { control: true })).status, 200);
    await first.stop();
  });

  it('leaves a file that is no socket alone', async () => {
    const { server, socket } = newServer();
    await writeFile(socket, 'precious');
    await assert.rejects(server.start(), (error: unknown) => {
      return isEarshotError(error, 'API_LISTEN_FAILED') && /no socket/.test(error.message);
    });
    assert.equal(await readFile(socket, 'utf8'), 'precious');
  });

  it('refuses pages', async (t) => {
    const api = await startApi();
    t.after(api.stop);
    const headers = { origin: 'http://localhost' };
    assert.equal((await ask(api, '/api/v1/status', { control: true, headers })).status, 403);
  });
});

describe('deadlines of a connection', () => {
  const http = { headersMs: 100, requestMs: 200, checkMs: 20, keepAliveMs: 100 };

  const halves: [name: string, text: string][] = [
    ['nothing', ''],
    ['half a request line', 'GET /api/v1/st'],
    ['half the headers', 'GET /api/v1/status HTTP/1.1\r\nhost: localhost\r\nx-slow: '],
    [
      'half a body',
      'POST /api/v1/audio/mute HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n{"mu',
    ],
  ];
  for (const [name, text] of halves) {
    it(`close one that sends ${name} and no more`, async () => {
      const { server } = newServer({ limits: { http: { ...http, idleMs: 1_000 } } });
      await server.start();
      const socket = await connected(server);
      socket.write(text);
      await closing(socket);
      await server.stop();
    });
  }

  it('close one that dribbles headers for ever', async () => {
    const { server } = newServer({ limits: { http } });
    await server.start();
    const socket = await connected(server);
    socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n');
    const dribble = setInterval(() => socket.write('x-slow: 1\r\n'), 5);
    await closing(socket);
    clearInterval(dribble);
    await server.stop();
  });

  it('close one between requests', async () => {
    const { server } = newServer({ limits: { http } });
    await server.start();
    const socket = await connected(server);
    socket.write('GET /api/v1/status HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await closing(socket);
    await server.stop();
  });

  it('refuse headers that are too large', async () => {
    const { server } = newServer();
    await server.start();
    const socket = await connected(server);
    let answer = '';
    socket.on('data', (chunk) => {
      answer += String(chunk);
    });
    socket.write(`GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`);
    await closing(socket);
    assert.match(answer, /^HTTP\/1\.1 431 /);
    await server.stop();
  });

  it('bound the number of connections', async () => {
    const { server } = newServer({ limits: { http: { maxConnections: 2 } } });
    await server.start();
    const kept = [await connected(server), await connected(server)];
    const third = await connected(server);
    await closing(third);
    for (const socket of kept) socket.destroy();
    await waitFor(
      'a place is free',
      async () => (await fetch(server.url()).catch(() => undefined)) !== undefined,
    );
    await server.stop();
  });

  it('do not hold up stop', async () => {
    const { server } = newServer();
    await server.start();
    const socket = await connected(server);
    socket.write('POST /api/v1/audio/mute HTTP/1.1\r\nhost: localhost\r\ncontent-le');
    const closed = closing(socket);
    await server.stop();
    await closed;
  });
});

async function connected(server: ApiServer): Promise<Socket> {
  const { port } = server.address();
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect', { signal: AbortSignal.timeout(10_000) });
  socket.resume();
  return socket;
}

/** Resolves when the server closes the connection. */
async function closing(socket: Socket): Promise<void> {
  await waitFor('the server to close the connection', () => socket.closed);
}
