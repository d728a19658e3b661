import { createServer, isIPv4, type Server, type Socket } from 'node:net';
import type { MediaEndpoint } from './media-endpoint.ts';
import { TcpFrameReader, writeTcpFrame } from './tcp-frames.ts';

/**
 * ICE over TCP (RFC 6544), the passive side: one listener per local address for all viewers.
 *
 * INVARIANTS
 * - A connection whose first frame is not an authenticated STUN request of a viewer is closed.
 * - Connections are bounded per address and in all, each in what it may keep waiting and in its silence.
 */

export interface TcpLimits {
  /** Connections from one address, and from all; a newcomer takes the place of one not yet admitted. */
  readonly perAddress: number;
  readonly total: number;
  /** From the connection to its first authenticated frame. */
  readonly handshakeMs: number;
  /** Silence after which a connection is closed: browsers check one they do not use every 25 s. */
  readonly idleMs: number;
  /** Bytes that may wait in a connection before sending to it is refused: half a second of picture. */
  readonly maxQueuedBytes: number;
}

export const defaultTcpLimits: TcpLimits = {
  perAddress: 16,
  total: 64,
  handshakeMs: 5_000,
  idleMs: 60_000,
  maxQueuedBytes: 128 * 1024,
};

export interface TcpCounts {
  accepted: number;
  /** Closed at once: too many were open. */
  refused: number;
  /** Closed: nothing authenticated came in time, or first. */
  strangers: number;
  /** Closed: a frame was longer than any datagram. */
  malformed: number;
  /** Closed after a long silence. */
  idle: number;
  /** Datagrams dropped because their connection could not take them. */
  dropped: number;
}

export function noTcpCounts(): TcpCounts {
  return { accepted: 0, refused: 0, strangers: 0, malformed: 0, idle: 0, dropped: 0 };
}

/** What all listeners have in common. */
export interface TcpShared {
  readonly limits: TcpLimits;
  readonly counts: TcpCounts;
  readonly connections: Set<TcpConnection>;
  /** Judges a datagram and delivers it; whose it is, where it was admitted. */
  readonly receive: (
    datagram: Buffer,
    endpoint: TcpEndpoint,
    address: string,
    port: number,
  ) => object | undefined;
  /** A connection is gone; `owner` is whose it was. */
  readonly closed: (
    endpoint: TcpEndpoint,
    address: string,
    port: number,
    owner: object | undefined,
  ) => void;
  readonly onError: (error: Error) => void;
}

export class TcpEndpoint implements MediaEndpoint {
  readonly protocol = 'tcp';
  readonly key: string;
  readonly address: string;
  readonly port: number;
  readonly family: 4 | 6;
  readonly #server: Server;
  readonly #shared: TcpShared;
  readonly #connections = new Map<string, TcpConnection>();

  private constructor(server: Server, shared: TcpShared) {
    const bound = server.address();
    if (bound === null || typeof bound === 'string') throw new Error('the listener is closed');
    this.address = bound.address;
    this.port = bound.port;
    this.key = `tcp ${bound.address}:${bound.port}`;
    this.family = isIPv4(bound.address) ? 4 : 6;
    this.#server = server;
    this.#shared = shared;
    server.on('connection', (socket) => this.#accept(socket));
    server.on('error', shared.onError);
  }

  /** Listens. Rejects with the socket's error. */
  static async open(options: {
    readonly address: string;
    readonly port: number;
    readonly shared: TcpShared;
  }): Promise<TcpEndpoint> {
    const { address, port, shared } = options;
    const server = createServer({ noDelay: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: address, port, ipv6Only: true, exclusive: true }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    return new TcpEndpoint(server, shared);
  }

  send(parts: Buffer | readonly Uint8Array[], port: number, address: string): boolean {
    return this.#connections.get(`${address}|${port}`)?.send(parts) ?? false;
  }

  /** Closes the listener and its connections. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#connections.values()) connection.close();
    await closed;
  }

  #accept(socket: Socket): void {
    const { remoteAddress, remotePort } = socket;
    // Else an error nobody listens for would end the process.
    socket.on('error', () => undefined);
    if (remoteAddress === undefined || remotePort === undefined) {
      socket.destroy();
      return;
    }
    const zone = remoteAddress.indexOf('%');
    const address = zone < 0 ? remoteAddress : remoteAddress.slice(0, zone);
    if (!this.#makesRoom(address)) {
      this.#shared.counts.refused += 1;
      socket.destroy();
      return;
    }
    this.#shared.counts.accepted += 1;
    const key = `${address}|${remotePort}`;
    const connection = new TcpConnection({
      socket,
      address,
      shared: this.#shared,
      receive: (datagram) => this.#shared.receive(datagram, this, address, remotePort),
      onClosed: (owner) => {
        this.#connections.delete(key);
        this.#shared.closed(this, address, remotePort, owner);
      },
    });
    this.#connections.set(key, connection);
  }

  #makesRoom(address: string): boolean {
    const { connections, limits, counts } = this.#shared;
    let fromThere = 0;
    let oldest: TcpConnection | undefined;
    for (const connection of connections) {
      if (connection.address === address) fromThere += 1;
      if (!connection.admitted) oldest ??= connection;
    }
    if (fromThere >= limits.perAddress) return false;
    if (connections.size < limits.total) return true;
    if (oldest === undefined) return false;
    counts.refused += 1;
    oldest.close();
    return true;
  }
}

/** One connection of a viewer, or of a stranger for {@link TcpLimits.handshakeMs} at most. */
export class TcpConnection {
  readonly address: string;
  readonly #socket: Socket;
  readonly #shared: TcpShared;
  readonly #reader = new TcpFrameReader();
  readonly #receive: (datagram: Buffer) => object | undefined;
  readonly #handshake: NodeJS.Timeout;
  #owner: object | undefined;

  constructor(options: {
    readonly socket: Socket;
    readonly address: string;
    readonly shared: TcpShared;
    readonly receive: (datagram: Buffer) => object | undefined;
    readonly onClosed: (owner: object | undefined) => void;
  }) {
    const { socket, shared } = options;
    this.address = options.address;
    this.#socket = socket;
    this.#shared = shared;
    this.#receive = options.receive;
    shared.connections.add(this);
    this.#handshake = setTimeout(() => this.#end('strangers'), shared.limits.handshakeMs);
    socket.setTimeout(shared.limits.idleMs, () => this.#end('idle'));
    socket.on('data', (chunk) => this.#read(chunk));
    socket.once('close', () => {
      clearTimeout(this.#handshake);
      shared.connections.delete(this);
      options.onClosed(this.#owner);
    });
  }

  /** Something authenticated came through it. */
  get admitted(): boolean {
    return this.#owner !== undefined;
  }

  /** Whose the last admitted frame was. */
  get owner(): object | undefined {
    return this.#owner;
  }

  send(parts: Buffer | readonly Uint8Array[]): boolean {
    if (this.#socket.writableLength > this.#shared.limits.maxQueuedBytes) {
      this.#shared.counts.dropped += 1;
      return false;
    }
    const frame = writeTcpFrame(parts);
    if (frame === undefined || !this.#socket.writable) return false;
    this.#socket.write(frame);
    return true;
  }

  close(): void {
    clearTimeout(this.#handshake);
    this.#shared.connections.delete(this);
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    const frames = this.#reader.push(chunk);
    if (frames === undefined) {
      this.#end('malformed');
      return;
    }
    for (const frame of frames) {
      if (this.#socket.destroyed) return;
      const owner = this.#receive(frame);
      if (owner !== undefined) {
        this.#owner = owner;
        clearTimeout(this.#handshake);
      } else if (this.#owner === undefined) {
        this.#end('strangers');
        return;
      }
    }
  }

  #end(why: 'strangers' | 'malformed' | 'idle'): void {
    if (!this.#socket.destroyed) this.#shared.counts[why] += 1;
    this.close();
  }
}
