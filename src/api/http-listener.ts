import { chmod, lstat, mkdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import { type AddressInfo, connect, type ListenOptions } from 'node:net';
import { dirname } from 'node:path';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions } from 'node:tls';
import { EarshotError, messageOf } from '../errors/earshot-error.ts';

/** Deadlines and bounds of a listening HTTP server, times in ms. */
export interface HttpLimits {
  /** From the connection to the end of the headers, and to the end of the request. */
  readonly headersMs: number;
  readonly requestMs: number;
  /** Between two requests of one connection. */
  readonly keepAliveMs: number;
  /** Silence after which a connection is closed, whatever it is doing. */
  readonly idleMs: number;
  /** From the connection to the end of the TLS handshake. */
  readonly handshakeMs: number;
  /** How often the first two are looked at. */
  readonly checkMs: number;
  /** Of a server, or of several that share it (shared-connections.ts). */
  readonly maxConnections: number;
}

export const defaultHttpLimits: HttpLimits = {
  headersMs: 10_000,
  requestMs: 15_000,
  keepAliveMs: 5_000,
  idleMs: 45_000,
  handshakeMs: 10_000,
  checkMs: 1_000,
  maxConnections: 256,
};

export interface HttpHandlers {
  readonly request: (incoming: IncomingMessage, outgoing: ServerResponse) => void;
  readonly upgrade: (incoming: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** A server with its deadlines set, not listening yet. */
export function createHttpServer(handlers: HttpHandlers, limits: HttpLimits): Server {
  return bounded(createServer(serverOptions(limits), handlers.request), handlers, limits);
}

/** The same over TLS, with the key and certificate of `context` (https-listener.ts). */
export function createHttpsServer(
  handlers: HttpHandlers,
  limits: HttpLimits,
  context: SecureContextOptions,
): TlsServer {
  const options = {
    ...serverOptions(limits),
    ...context,
    handshakeTimeout: limits.handshakeMs,
  };
  return bounded(createTlsServer(options, handlers.request), handlers, limits);
}

function serverOptions(limits: HttpLimits) {
  return {
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: limits.checkMs,
    maxHeaderSize: 16 * 1024,
  };
}

function bounded<S extends Server | TlsServer>(
  server: S,
  handlers: HttpHandlers,
  limits: HttpLimits,
): S {
  server.maxConnections = limits.maxConnections;
  server.timeout = limits.idleMs;
  server.on('upgrade', handlers.upgrade);
  return server;
}

export interface TcpAddress {
  readonly host: string;
  readonly port: number;
  /** The key of the configuration that `port` comes from. */
  readonly portKey: 'http.port' | 'https.port';
}

/** Listens on TCP. Throws API_PORT_IN_USE or API_LISTEN_FAILED, whose message says what to do. */
export async function listenTcp(
  server: Server | TlsServer,
  { host, port, portKey }: TcpAddress,
): Promise<AddressInfo> {
  try {
    await listen(server, { host, port });
  } catch (cause) {
    const where = `${host} port ${port}`;
    const details = { address: host, port };
    throw codeOf(cause) === 'EADDRINUSE'
      ? new EarshotError(
          'API_PORT_IN_USE',
          `Another program listens on ${where}; stop it, or choose another ${portKey} in the configuration.`,
          { cause, details },
        )
      : new EarshotError('API_LISTEN_FAILED', `${listenAdvice(cause, where, portKey)}.`, {
          cause,
          details,
        });
  }
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP server');
  return address;
}

function listenAdvice(cause: unknown, where: string, portKey: string): string {
  switch (codeOf(cause)) {
    case 'EACCES':
      return `This user may not listen on ${where}; choose a port of 1024 or above for ${portKey}, or grant CAP_NET_BIND_SERVICE`;
    case 'EADDRNOTAVAIL':
      return `No interface of this machine has the address of ${where}; correct http.listen in the configuration`;
    default:
      return `Cannot listen on ${where}: ${messageOf(cause)}`;
  }
}

/**
 * Listens on a Unix socket of mode 0660. A socket file that nobody answers on is what a crash left and
 * is replaced; anything else at that path is left alone. Throws API_LISTEN_FAILED.
 */
export async function listenUnix(server: Server, path: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    try {
      await listenGuarded(server, path);
    } catch (error) {
      if (codeOf(error) !== 'EADDRINUSE') throw error;
      await removeStale(path);
      await listenGuarded(server, path);
    }
    await chmod(path, 0o660);
  } catch (cause) {
    const why =
      codeOf(cause) === 'EACCES'
        ? 'this user may not write there; choose another control.socket in the configuration'
        : messageOf(cause);
    throw new EarshotError('API_LISTEN_FAILED', `Cannot listen on ${path}: ${why}.`, {
      cause,
      details: { path },
    });
  }
}

/** The socket file is made within `listen()`, so that it never exists with a wider mode. */
function listenGuarded(server: Server, path: string): Promise<void> {
  const umask = process.umask(0o117);
  try {
    return listen(server, { path });
  } finally {
    process.umask(umask);
  }
}

async function removeStale(path: string): Promise<void> {
  if (!(await lstat(path)).isSocket()) {
    throw new Error(
      'there is a file of that name that is no socket; remove it, or choose another control.socket',
    );
  }
  if (await answers(path)) {
    throw new Error(
      'another Earshot answers there; stop it first, or choose another control.socket',
    );
  }
  await rm(path, { force: true });
}

/** Whether a process accepts connections on the socket; one that is too busy to do so counts as one. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const finish = (result: boolean): void => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(1_000, () => finish(true));
    socket.once('connect', () => finish(true));
    socket.once('error', (error) => {
      const code = codeOf(error);
      finish(code !== 'ECONNREFUSED' && code !== 'ENOENT');
    });
  });
}

function listen(server: Server | TlsServer, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Stops listening and closes every HTTP connection; resolves when all are gone. Idempotent. */
export async function closeServer(server: Server | TlsServer): Promise<void> {
  if (!server.listening) return;
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
