import { createSocket, type Socket } from 'node:dgram';
import { isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { EarshotError, messageOf } from '../errors/earshot-error.ts';
import type { Log } from '../log/log.ts';
import type { DtlsRecord } from './dtls-records.ts';
import { IngressGuard, type IngressSession, type RefusalReason } from './ingress-guard.ts';
import { MdnsResolver } from './mdns-resolver.ts';
import type { IngressPath, MediaEndpoint } from './media-endpoint.ts';
import type { StunMessage } from './stun-message.ts';
import {
  defaultTcpLimits,
  noTcpCounts,
  type TcpConnection,
  type TcpCounts,
  TcpEndpoint,
  type TcpLimits,
  type TcpShared,
} from './tcp-endpoint.ts';

/**
 * The sockets of all viewers: per local address one for UDP and, for networks that block it, one
 * listener for TCP, on one port each. Datagrams reach a session through the ingress guard only.
 * docs/decisions/0002 says why one port and not a range.
 */

/** A viewer's end of the mux. */
export interface MuxSession extends IngressSession {
  /** An authenticated STUN message, as it came and as it was read. */
  stun(datagram: Buffer, message: StunMessage, from: DatagramSource): void;
  /** Records that may go to the DTLS stack, and protected alerts for whoever holds the keys. */
  dtls(records: readonly DtlsRecord[], alerts: readonly DtlsRecord[]): void;
  /** SRTP with a header that holds; not authenticated yet. */
  rtp(datagram: Buffer): void;
  rtcp(datagram: Buffer): void;
  /** A TCP connection that was the session's is gone. */
  tcpClosed(from: DatagramSource): void;
}

/** Where a datagram came from. */
export interface DatagramSource {
  readonly path: IngressPath;
  readonly address: string;
  readonly port: number;
}

export interface UdpMuxOptions {
  /** Both 0: any free port. */
  readonly portMin: number;
  readonly portMax: number;
  /** Addresses to bind; empty: every address of the machine. */
  readonly addresses: readonly string[];
  /** Offer the loopback addresses too, even when there are others. */
  readonly loopback: boolean;
  /** TCP port for viewers that UDP does not reach; `udp`: the UDP port's number, or a free one; 0: none. */
  readonly tcpPort?: number | 'udp';
  readonly tcpLimits?: Partial<TcpLimits>;
  readonly log: Log;
}

/** Bytes that may wait in a socket before sending to it is refused. */
const maxQueuedBytes = 256 * 1024;

/** One bound UDP socket. */
export class MuxEndpoint implements MediaEndpoint {
  readonly protocol = 'udp';
  readonly key: string;
  readonly address: string;
  readonly port: number;
  readonly family: 4 | 6;
  readonly #socket: Socket;

  constructor(socket: Socket) {
    const bound = socket.address();
    this.address = bound.address;
    this.port = bound.port;
    this.key = `${bound.address}:${bound.port}`;
    this.family = isIPv4(bound.address) ? 4 : 6;
    this.#socket = socket;
  }

  /**
   * Sends one datagram made of `parts`, without copying; they are not read after it returns true
   * unless the kernel's buffer was full. False when the socket cannot take it now.
   */
  send(parts: Buffer | readonly Uint8Array[], port: number, address: string): boolean {
    if (this.#socket.getSendQueueSize() > maxQueuedBytes) return false;
    // Without a callback, which costs half as much again, Node drops a send error: an unreachable
    // network is this viewer's loss alone, and shows as silence in its reports.
    this.#socket.send(parts, port, address);
    return true;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }
}

type Lookup = (
  hostname: string,
  family: unknown,
  callback: (error: NodeJS.ErrnoException | null, address: string, family: number) => void,
) => void;

/** Addresses are literals of the socket's family, always: no resolver is asked, and send returns at once. */
const literals: Record<4 | 6, Lookup> = {
  4: (hostname, _family, callback) => callback(null, hostname, 4),
  6: (hostname, _family, callback) => callback(null, hostname, 6),
};

export class UdpMux {
  readonly #options: UdpMuxOptions;
  readonly #guard = new IngressGuard<MuxSession>({ nowMs: () => performance.now() });
  readonly #endpoints = new Map<string, MuxEndpoint>();
  readonly #listeners = new Map<string, TcpEndpoint>();
  readonly #tcp: TcpShared;
  readonly #names: MdnsResolver;
  readonly #sessions = new Set<MuxSession>();
  #refreshing: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: UdpMuxOptions) {
    this.#options = options;
    this.#names = new MdnsResolver({
      // In this order: what is asked on one interface alone is rarely asked on loopback.
      interfaces: () => [...this.#endpoints.values()].filter(({ family }) => family === 4),
      log: options.log,
    });
    this.#tcp = {
      limits: { ...defaultTcpLimits, ...options.tcpLimits },
      counts: noTcpCounts(),
      connections: new Set<TcpConnection>(),
      receive: (datagram, path, address, port) => this.receive(datagram, path, address, port),
      closed: (path, address, port, owner) => {
        this.#guard.forget(sourceKey(path, address, port));
        for (const session of this.#sessions) {
          if (session === owner) session.tcpClosed({ path, address, port });
        }
      },
      onError: (error) => {
        options.log.warn({ error: messageOf(error) }, 'media listener error');
      },
    };
  }

  /** Binds. Throws MEDIA_PORTS_EXHAUSTED when no port of the range, or not the TCP port, is free. */
  async start(): Promise<void> {
    await this.#refresh();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#names.stop();
    await this.#refreshing.catch(() => undefined);
    const endpoints = [...this.#endpoints.values(), ...this.#listeners.values()];
    this.#endpoints.clear();
    this.#listeners.clear();
    await Promise.all(endpoints.map((endpoint) => endpoint.close()));
  }

  /** The bound UDP sockets, then the TCP listeners, after looking which addresses the machine has now. */
  async endpoints(): Promise<readonly MediaEndpoint[]> {
    const refreshed = this.#refreshing.then(() => this.#refresh());
    this.#refreshing = refreshed.catch((error: unknown) => {
      this.#options.log.warn({ error: messageOf(error) }, 'media addresses not refreshed');
    });
    await this.#refreshing;
    return [...this.#endpoints.values(), ...this.#listeners.values()];
  }

  attach(session: MuxSession): void {
    this.#guard.add(session);
    this.#sessions.add(session);
  }

  /** Forgets the session, and closes what TCP connections it has. */
  detach(session: MuxSession): void {
    this.#guard.remove(session);
    this.#sessions.delete(session);
    for (const connection of this.#tcp.connections) {
      if (connection.owner === session) connection.close();
    }
  }

  /** The address behind a viewer's mDNS name, asked for on the local networks; undefined when nobody answers in time. */
  resolveName(name: string): Promise<string | undefined> {
    return this.#names.resolve(name);
  }

  tcpCounts(): Readonly<TcpCounts> {
    return this.#tcp.counts;
  }

  refusals(): ReadonlyMap<RefusalReason, number> {
    return this.#guard.refusals();
  }

  async #refresh(): Promise<void> {
    const wanted = this.#wantedAddresses();
    for (const address of wanted) {
      if (this.#stopped || this.#endpoints.has(address)) continue;
      const endpoint = await this.#bind(address);
      if (endpoint !== undefined) this.#endpoints.set(address, endpoint);
    }
    await this.#listen();
    if (this.#sessions.size > 0) return;
    for (const sockets of [this.#endpoints, this.#listeners]) {
      for (const [address, endpoint] of sockets) {
        if (wanted.includes(address)) continue;
        sockets.delete(address);
        await endpoint.close();
      }
    }
  }

  /** One TCP listener beside each UDP socket. */
  async #listen(): Promise<void> {
    const { tcpPort = 0, log } = this.#options;
    if (tcpPort === 0) return;
    for (const { address, port } of this.#endpoints.values()) {
      if (this.#stopped || this.#listeners.has(address)) continue;
      const [first] = this.#listeners.values();
      const wished = first?.port ?? (tcpPort === 'udp' ? port : tcpPort);
      const open = (number: number) =>
        TcpEndpoint.open({ address, port: number, shared: this.#tcp });
      try {
        this.#listeners.set(address, await open(wished));
      } catch (error) {
        if (codeOf(error) === 'EADDRINUSE' && tcpPort === 'udp') {
          this.#listeners.set(address, await open(0));
        } else if (codeOf(error) === 'EADDRINUSE') {
          throw new EarshotError(
            'MEDIA_PORTS_EXHAUSTED',
            `TCP port ${wished} is in use on ${address}; free it, or set media.tcpPort to another, to "udp" (any that is free) or to 0 (none).`,
            { cause: error, details: { address, port: wished } },
          );
        } else {
          log.warn({ address, error: messageOf(error) }, 'media address not usable over TCP');
        }
      }
    }
  }

  #wantedAddresses(): string[] {
    if (this.#options.addresses.length > 0) return [...this.#options.addresses];
    const all = Object.values(networkInterfaces()).flatMap((infos) => infos ?? []);
    // Link-local IPv6 needs a zone, which a candidate cannot carry (RFC 8839 §5.1).
    const usable = all.filter(({ address }) => !address.startsWith('fe80:'));
    const outer = usable.filter(({ internal }) => !internal).map(({ address }) => address);
    const inner = usable.filter(({ internal }) => internal).map(({ address }) => address);
    return outer.length === 0 || this.#options.loopback ? [...outer, ...inner] : outer;
  }

  /** Binds `address`, on the port the others have if it can; undefined when it is not of this machine. */
  async #bind(address: string): Promise<MuxEndpoint | undefined> {
    let lastError: unknown;
    for (const port of this.#candidatePorts()) {
      try {
        return await this.#open(address, port);
      } catch (error) {
        lastError = error;
        if (codeOf(error) !== 'EADDRINUSE') break;
      }
    }
    if (codeOf(lastError) === 'EADDRINUSE') {
      const { portMin, portMax } = this.#options;
      throw new EarshotError(
        'MEDIA_PORTS_EXHAUSTED',
        `No UDP port from ${portMin} to ${portMax} is free on ${address}; free one, or widen media.udpPortMin and media.udpPortMax.`,
        { cause: lastError, details: { address, portMin, portMax } },
      );
    }
    this.#options.log.warn({ address, error: messageOf(lastError) }, 'media address not usable');
    return undefined;
  }

  *#candidatePorts(): Generator<number> {
    const [first] = this.#endpoints.values();
    if (first !== undefined) yield first.port;
    const { portMin, portMax } = this.#options;
    if (portMax === 0) yield 0;
    else for (let port = Math.max(1, portMin); port <= portMax; port += 1) yield port;
  }

  async #open(address: string, port: number): Promise<MuxEndpoint> {
    const family = isIPv4(address) ? 4 : 6;
    const socket = createSocket({
      type: `udp${family}`,
      ipv6Only: family === 6,
      lookup: literals[family],
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind({ address, port, exclusive: true }, () => {
        socket.off('error', reject);
        resolve();
      });
    }).catch((error: unknown) => {
      socket.close();
      throw error;
    });
    const endpoint = new MuxEndpoint(socket);
    socket.on('error', (error) => {
      this.#options.log.warn({ error: messageOf(error) }, 'media socket error');
    });
    socket.on('message', (datagram, from) => {
      this.receive(datagram, endpoint, withoutZone(from.address), from.port);
    });
    return endpoint;
  }

  /**
   * Judges a datagram and hands it to its session, which is returned. Relays call it too, with what
   * they unwrapped.
   */
  receive(
    datagram: Buffer,
    path: IngressPath,
    address: string,
    port: number,
  ): MuxSession | undefined {
    const verdict = this.#guard.judge(datagram, sourceKey(path, address, port));
    switch (verdict.kind) {
      case 'stun':
        verdict.session.stun(datagram, verdict.message, { path, address, port });
        return verdict.session;
      case 'dtls':
        verdict.session.dtls(verdict.records, verdict.alerts);
        return verdict.session;
      case 'rtp':
        verdict.session.rtp(datagram);
        return verdict.session;
      case 'rtcp':
        verdict.session.rtcp(datagram);
        return verdict.session;
      case 'refused':
        return undefined;
    }
  }
}

function sourceKey(path: IngressPath, address: string, port: number): string {
  return `${path.key}|${address}|${port}`;
}

/** A link-local source carries the zone it came in through, which candidates do not. */
function withoutZone(address: string): string {
  const zone = address.indexOf('%');
  return zone < 0 ? address : address.slice(0, zone);
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
