import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { Impairment, type ImpairmentCounts, type ImpairmentSettings } from './impairment.ts';

/**
 * A bad network in user space: a UDP relay between viewers and the device that loses, delays, reorders
 * and repeats what passes it, each direction on its own.
 *
 * ```ts
 * const relay = new ImpairRelay({ seed: 1 });
 * const route = await routeThroughRelay(page, relay); // impaired-page.ts, before page.goto()
 * await page.goto(url);
 * // … connected:
 * relay.toDevice.set({ lossRate: 0.05, jitterMs: 60 }); // what the viewer says
 * relay.toViewer.set({ delayMs: 40 });                  // what it hears
 * relay.outage(1_000);
 * relay.counts();
 * await relay.stop();
 * ```
 */

/** Packets under way in one direction; more are dropped, as a router's queue drops them. */
const maxQueued = 2_000;
/** Viewers' sockets, each with one of its own towards the device. */
const maxFlows = 32;

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export interface DirectionCounts extends ImpairmentCounts {
  /** Packets sent on, repeats included. */
  readonly delivered: number;
  /** Dropped since too many were under way. */
  readonly overflowed: number;
}

export class ImpairRelay {
  /** What viewers send. */
  readonly toDevice: Direction;
  /** What the device sends. */
  readonly toViewer: Direction;
  readonly #flows = new Map<string, Socket>();
  #device: Endpoint | undefined;
  #front: Socket | undefined;
  #opening: Promise<Endpoint> | undefined;
  #endpoint: Endpoint | undefined;
  #stopped = false;

  constructor(options: { readonly seed: number }) {
    this.toDevice = new Direction({ seed: options.seed * 2 });
    this.toViewer = new Direction({ seed: options.seed * 2 + 1 });
  }

  /** Where viewers reach it; undefined before it was opened. */
  get endpoint(): Endpoint | undefined {
    return this.#endpoint;
  }

  /**
   * Where viewers reach `device` through the relay: a port of its own at the same address, opened at
   * the first call. Another device at a later call is who the viewers reach from then on.
   */
  async front(device: Endpoint): Promise<Endpoint> {
    this.#device = device;
    this.#opening ??= this.#open(device.address);
    return await this.#opening;
  }

  /** Loses everything in both directions for so long from now. */
  outage(ms: number): void {
    const endMs = performance.now() + ms;
    this.toDevice.cutUntil(endMs);
    this.toViewer.cutUntil(endMs);
  }

  counts(): { readonly toDevice: DirectionCounts; readonly toViewer: DirectionCounts } {
    return { toDevice: this.toDevice.counts(), toViewer: this.toViewer.counts() };
  }

  /** Ends it with what is under way; idempotent. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    await this.#opening?.catch(() => undefined);
    this.toDevice.stop();
    this.toViewer.stop();
    const sockets = [this.#front, ...this.#flows.values()].filter((socket) => socket !== undefined);
    this.#flows.clear();
    await Promise.all(sockets.map(close));
  }

  async #open(address: string): Promise<Endpoint> {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    this.#front = socket;
    socket.bind(0, address);
    await once(socket, 'listening');
    socket.on('message', (packet, from) => {
      const flow = this.#flow(from);
      const device = this.#device;
      if (flow === undefined || device === undefined) return;
      this.toDevice.pass(packet, (copy) => send(flow, copy, device));
    });
    this.#endpoint = { address, port: socket.address().port };
    return this.#endpoint;
  }

  /** The socket that stands for a viewer towards the device, so that the device tells viewers apart. */
  #flow(viewer: Endpoint): Socket | undefined {
    const key = `${viewer.address}|${viewer.port}`;
    const known = this.#flows.get(key);
    if (known !== undefined || this.#stopped || this.#flows.size >= maxFlows) return known;
    const front = this.#front;
    const socket = createSocket(isIPv6(viewer.address) ? 'udp6' : 'udp4');
    this.#flows.set(key, socket);
    socket.on('message', (packet) => {
      if (front !== undefined) this.toViewer.pass(packet, (copy) => send(front, copy, viewer));
    });
    return socket;
  }
}

interface Waiting {
  readonly atMs: number;
  readonly send: () => void;
}

/** One direction: decides, and sends when it is time. */
class Direction {
  readonly #impairment: Impairment;
  /** Next one last. */
  readonly #queue: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  #delivered = 0;
  #overflowed = 0;

  constructor(options: { readonly seed: number }) {
    this.#impairment = new Impairment(options);
  }

  /** Changes the path from the next packet on; what is not given stays. */
  set(changes: Partial<ImpairmentSettings>): void {
    this.#impairment.set(changes);
  }

  /** In ms of performance.now(). */
  cutUntil(ms: number): void {
    this.#impairment.cutUntil(ms);
  }

  counts(): DirectionCounts {
    const { counts } = this.#impairment;
    return { ...counts, delivered: this.#delivered, overflowed: this.#overflowed };
  }

  pass(packet: Buffer, deliver: (packet: Buffer) => void): void {
    const nowMs = performance.now();
    for (const atMs of this.#impairment.deliveries(nowMs)) {
      const send = (): void => {
        this.#delivered += 1;
        deliver(packet);
      };
      if (atMs <= nowMs && this.#queue.length === 0) send();
      else this.#wait({ atMs, send });
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#queue.length = 0;
  }

  #wait(waiting: Waiting): void {
    if (this.#queue.length >= maxQueued) {
      this.#overflowed += 1;
      return;
    }
    // Behind everything that is due no later; nearly always that is the far end.
    let at = 0;
    while (at < this.#queue.length && (this.#queue[at]?.atMs ?? 0) > waiting.atMs) at += 1;
    this.#queue.splice(at, 0, waiting);
    this.#arm();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const next = this.#queue.at(-1);
    if (next === undefined) return;
    this.#timer = setTimeout(() => this.#deliverDue(), Math.max(0, next.atMs - performance.now()));
  }

  #deliverDue(): void {
    const nowMs = performance.now();
    for (let next = this.#queue.at(-1); next !== undefined && next.atMs <= nowMs; ) {
      this.#queue.pop();
      next.send();
      next = this.#queue.at(-1);
    }
    this.#arm();
  }
}

/** A packet that the other side's socket does not take is one more that the network lost. */
function send(socket: Socket, packet: Buffer, { address, port }: Endpoint): void {
  socket.send(packet, port, address, () => undefined);
}

async function close(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => socket.close(() => resolve()));
}
