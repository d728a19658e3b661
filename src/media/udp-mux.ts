import { createSocket, type Socket } from 'node:dgram';
import { isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { EarshotError, messageOf } from '../errors/earshot-error.ts';
import type { Log } from '../log/log.ts';
import type { DtlsRecord } from './dtls-records.ts';
import { IngressGuard, type IngressSession, type RefusalReason } from './ingress-guard.ts';

/**
 * The UDP sockets of all viewers: one per local address, on one port. Datagrams reach a session
 * through the ingress guard only. docs/decisions/0002 says why one port and not a range.
 */

/** What a datagram came through: a socket of the mux, or a relay's allocation. */
export interface IngressPath {
  /** Short and unique among paths with different peers; part of what identifies a source. */
  readonly key: string;
}

/** A viewer's end of the mux. */
export interface MuxSession extends IngressSession {
  /** An authenticated STUN message. */
  stun(datagram: Buffer, path: IngressPath, address: string, port: number): void;
  /** Records that may go to the DTLS stack, and protected alerts for whoever holds the keys. */
  dtls(records: readonly DtlsRecord[], alerts: readonly DtlsRecord[], path: IngressPath): void;
  /** SRTP with a header that holds; not authenticated yet. */
  rtp(datagram: Buffer): void;
  rtcp(datagram: Buffer): void;
}

export interface UdpMuxOptions {
  /** Both 0: any free port. */
  readonly portMin: number;
  readonly portMax: number;
  /** Addresses to bind; empty: every address of the machine. */
  readonly addresses: readonly string[];
  /** Offer the loopback addresses too, even when there are others. */
  readonly loopback: boolean;
  readonly log: Log;
}

/** Bytes that may wait in a socket before sending to it is refused. */
const maxQueuedBytes = 256 * 1024;

/** One bound socket. */
export class MuxEndpoint implements IngressPath {
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
  #sessions = 0;
  #refreshing: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: UdpMuxOptions) {
    this.#options = options;
  }

  /** Binds. Throws MEDIA_PORTS_EXHAUSTED when no port of the range is free. */
  async start(): Promise<void> {
    await this.#refresh();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#refreshing.catch(() => undefined);
    const endpoints = [...this.#endpoints.values()];
    this.#endpoints.clear();
    await Promise.all(endpoints.map((endpoint) => endpoint.close()));
  }

  /** The bound sockets, after looking which addresses the machine has now. */
  async endpoints(): Promise<readonly MuxEndpoint[]> {
    const refreshed = this.#refreshing.then(() => this.#refresh());
    this.#refreshing = refreshed.catch((error: unknown) => {
      this.#options.log.warn({ error: messageOf(error) }, 'media addresses not refreshed');
    });
    await this.#refreshing;
    return [...this.#endpoints.values()];
  }

  attach(session: MuxSession): void {
    this.#guard.add(session);
    this.#sessions += 1;
  }

  detach(session: MuxSession): void {
    this.#guard.remove(session);
    this.#sessions -= 1;
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
    if (this.#sessions > 0) return;
    for (const [address, endpoint] of this.#endpoints) {
      if (wanted.includes(address)) continue;
      this.#endpoints.delete(address);
      await endpoint.close();
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

  /** Judges a datagram and hands it to its session. Relays call it too, with what they unwrapped. */
  receive(datagram: Buffer, path: IngressPath, address: string, port: number): void {
    const verdict = this.#guard.judge(datagram, `${path.key}|${address}|${port}`);
    switch (verdict.kind) {
      case 'stun':
        verdict.session.stun(datagram, path, address, port);
        return;
      case 'dtls':
        verdict.session.dtls(verdict.records, verdict.alerts, path);
        return;
      case 'rtp':
        verdict.session.rtp(datagram);
        return;
      case 'rtcp':
        verdict.session.rtcp(datagram);
        return;
      case 'refused':
        return;
    }
  }
}

/** A link-local source carries the zone it came in through, which candidates do not. */
function withoutZone(address: string): string {
  const zone = address.indexOf('%');
  return zone < 0 ? address : address.slice(0, zone);
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
