import { createSocket, type Socket } from 'node:dgram';
import { messageOf } from '../errors/earshot-error.ts';
import type { Log } from '../log/log.ts';
import { TokenBucket } from '../rates/token-bucket.ts';
import { readMdnsAddresses, writeMdnsQuery } from './mdns-packet.ts';

/**
 * Asks the local networks for the address behind a browser's mDNS name (RFC 6762), so that the device
 * can send checks of its own: a viewer behind a firewall that lets nothing in needs the first packet
 * from there. Everything is bounded: names asked for at once and in a second, time, what is remembered.
 */

export interface MdnsResolverOptions {
  /** The IPv4 addresses of the interfaces to ask on. */
  readonly interfaces: () => readonly { readonly address: string }[];
  readonly log: Log;
  /** Where questions go and answers are heard; 5353 but in tests. */
  readonly port?: number;
}

const group = '224.0.0.251';
const mdnsPort = 5_353;
const deadlineMs = 2_000;
/** RFC 6762 §5.2: the second question a second after the first. */
const repeatMs = 1_000;
const maxWaiting = 16;
const maxCached = 64;
/** A name belongs to one page, and its address may change with the network. */
const cacheMs = 60_000;
/** What nobody answered is not asked for again at once. */
const missMs = 10_000;
const rate = { perSecond: 8, burst: 32 };

interface Waiting {
  readonly promise: Promise<string | undefined>;
  readonly settle: (address: string | undefined) => void;
}

export class MdnsResolver {
  readonly #options: MdnsResolverOptions;
  readonly #waiting = new Map<string, Waiting>();
  readonly #cache = new Map<string, { address: string | undefined; untilMs: number }>();
  readonly #bucket = new TokenBucket({ ...rate, nowMs: performance.now() });
  #socket: Promise<Socket> | undefined;
  #stopped = false;

  constructor(options: MdnsResolverOptions) {
    this.#options = options;
  }

  /** The address, within two seconds; undefined when nobody knew it, or too much is being asked. Never rejects. */
  async resolve(name: string): Promise<string | undefined> {
    const known = this.#cache.get(name);
    if (known !== undefined && known.untilMs > performance.now()) return known.address;
    const waiting = this.#waiting.get(name);
    if (waiting !== undefined) return waiting.promise;
    if (this.#stopped || this.#waiting.size >= maxWaiting) return undefined;
    if (!this.#bucket.take(performance.now())) return undefined;
    return this.#ask(name);
  }

  /** Gives up what is asked for and closes the socket; idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { settle } of [...this.#waiting.values()]) settle(undefined);
    await this.#close();
  }

  #ask(name: string): Promise<string | undefined> {
    let resolve: (address: string | undefined) => void = () => undefined;
    const promise = new Promise<string | undefined>((fulfil) => {
      resolve = fulfil;
    });
    const send = (): void => {
      this.#send(name).catch((error: unknown) => {
        this.#options.log.debug({ error: messageOf(error) }, 'mDNS question not sent');
        settle(undefined);
      });
    };
    const repeat = setTimeout(send, repeatMs);
    const deadline = setTimeout(() => settle(undefined), deadlineMs);
    const settle = (address: string | undefined): void => {
      clearTimeout(repeat);
      clearTimeout(deadline);
      this.#waiting.delete(name);
      this.#remember(name, address);
      resolve(address);
      if (this.#waiting.size === 0) void this.#close();
    };
    this.#waiting.set(name, { promise, settle });
    send();
    return promise;
  }

  async #send(name: string): Promise<void> {
    this.#socket ??= this.#open();
    const socket = await this.#socket;
    const query = writeMdnsQuery(name);
    for (const { address } of this.#options.interfaces()) {
      if (this.#stopped || !this.#waiting.has(name)) return;
      // An interface without multicast is no reason to leave out the others.
      try {
        socket.setMulticastInterface(address);
        // Awaited: the interface is chosen when the socket sends.
        await new Promise<void>((resolve, reject) => {
          socket.send(query, this.#options.port ?? mdnsPort, group, (error) =>
            error === null ? resolve() : reject(error),
          );
        });
      } catch (error) {
        this.#options.log.debug({ error: messageOf(error) }, 'no mDNS on an interface');
      }
    }
  }

  /** On the port of mDNS itself: browsers answer to the group, not to whoever asks from elsewhere. */
  async #open(): Promise<Socket> {
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    socket.on('error', (error) => {
      this.#options.log.debug({ error: messageOf(error) }, 'mDNS socket error');
    });
    socket.on('message', (packet) => this.#receive(packet));
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.bind({ port: this.#options.port ?? mdnsPort, address: '0.0.0.0' }, resolve);
      });
    } catch (error) {
      socket.close();
      this.#socket = undefined;
      throw error;
    }
    for (const { address } of this.#options.interfaces()) {
      try {
        socket.addMembership(group, address);
      } catch (error) {
        this.#options.log.debug({ error: messageOf(error) }, 'no mDNS on an interface');
      }
    }
    return socket;
  }

  #receive(packet: Buffer): void {
    if (this.#waiting.size === 0) return;
    for (const { name, address, ttl } of readMdnsAddresses(packet)) {
      // A TTL of 0 takes the name back (RFC 6762 §10.1).
      if (ttl > 0) this.#waiting.get(name)?.settle(address);
    }
  }

  #remember(name: string, address: string | undefined): void {
    const [oldest] = this.#cache.keys();
    if (this.#cache.size >= maxCached && oldest !== undefined) this.#cache.delete(oldest);
    const untilMs = performance.now() + (address === undefined ? missMs : cacheMs);
    this.#cache.set(name, { address, untilMs });
  }

  async #close(): Promise<void> {
    const opening = this.#socket;
    this.#socket = undefined;
    const socket = await opening?.catch(() => undefined);
    if (socket === undefined) return;
    await new Promise<void>((resolve) => socket.close(() => resolve()));
  }
}
