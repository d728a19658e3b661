import { EventEmitter } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import type { HostState, ReportKind } from '../../src/control/hid/hid-host.ts';
import { reportBytes } from '../../src/control/hid/reports.ts';
import { socketFrameKinds } from '../../src/control/hid/socket-frames.ts';

/**
 * A host as a device sees it through USB: it listens on a Unix socket for the device (`hid.host: unix:/path`,
 * src/control/hid/PROTOCOL.md, "A host behind a socket"), whatever then acts on the reports.
 *
 * A report is acknowledged as a USB host controller does it, when it is taken off the device, as long as what
 * acts on them is not more than a few behind; otherwise when it has caught up.
 *
 * INVARIANT: every acknowledged report is acted on, in order; when the device goes, or the host does, nothing
 * of it stays pressed.
 */

export interface Report {
  readonly kind: ReportKind;
  readonly bytes: Uint8Array;
}

export interface HidSocketServerOptions {
  /** Path of the socket. */
  readonly path: string;
  /** Acts on a report; resolves when that is done. Called in order, not waiting for the one before. */
  readonly act: (report: Report) => Promise<unknown>;
  /** Lets go of everything. */
  readonly release: () => void;
  /** Wakes the host; it becomes attached by itself when this is left out. */
  readonly wake?: () => void;
  /** Reports the host may be behind before the device has to wait for it; 8 by default. */
  readonly maxBehind?: number;
}

interface HidSocketServerEvents {
  /** A device came. */
  device: [];
  /** A report, before it is acted on; the time is of performance.now(), in ms. */
  report: [Report & { readonly atMs: number }];
}

export type WiredState = Exclude<HostState, 'none'>;

const states: readonly WiredState[] = ['detached', 'attached', 'suspended'];
const kinds = ['keyboard', 'absolute', 'relative', 'consumer', 'system'] as const;

/** A device has at most one of each kind under way; one with more does not keep to the protocol. */
const maxWaiting = 16;

export class HidSocketServer extends EventEmitter<HidSocketServerEvents> {
  readonly #options: HidSocketServerOptions;
  readonly #server: Server;
  #device: Socket | undefined;
  #state: WiredState = 'attached';
  #leds = 0;
  #behind = 0;
  /** Kinds of the reports that are not acknowledged. */
  #waiting: ReportKind[] = [];

  constructor(options: HidSocketServerOptions) {
    super();
    this.#options = options;
    this.#server = createServer((socket) => this.#take(socket));
  }

  get state(): WiredState {
    return this.#state;
  }

  /** Whether a device is connected. */
  get hasDevice(): boolean {
    return this.#device !== undefined;
  }

  /** Rejects when the path cannot be had. */
  async listen(): Promise<void> {
    await rm(this.#options.path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.path, () => resolve());
    });
  }

  /** Takes reports, takes none, or sleeps until it is woken. */
  become(state: WiredState): void {
    if (state === this.#state) return;
    this.#state = state;
    if (state !== 'attached') this.#options.release();
    this.#tellState();
  }

  /** The keyboard's lights, as its LED report has them: bit 0 Num, 1 Caps, 2 Scroll. */
  setLeds(mask: number): void {
    if (mask === this.#leds) return;
    this.#leds = mask;
    this.#send(socketFrameKinds.leds, mask);
  }

  /** Releases everything and ends; idempotent. */
  async stop(): Promise<void> {
    this.#options.release();
    this.#device?.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await rm(this.#options.path, { force: true });
  }

  /** The newest device is the one: an older connection is of one that is gone. */
  #take(socket: Socket): void {
    this.#device?.destroy();
    this.#device = socket;
    this.#waiting = [];
    let rest: Buffer = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      rest = this.#read(socket, Buffer.concat([rest, bytes]));
    });
    socket.on('close', () => {
      if (this.#device !== socket) return;
      this.#device = undefined;
      this.#options.release();
    });
    this.#tellState();
    this.emit('device');
  }

  /** Acts on every whole frame, and gives back what is left. */
  #read(socket: Socket, bytes: Buffer): Buffer {
    let at = 0;
    while (at < bytes.length && !socket.destroyed) {
      const end = at + 1 + (bytes[at] ?? 0);
      if (end > bytes.length) break;
      this.#frame(socket, bytes[at + 1] ?? 0, bytes.subarray(at + 2, end));
      at = end;
    }
    return bytes.subarray(at);
  }

  #frame(socket: Socket, number: number, payload: Uint8Array): void {
    const kind = kinds.find((name) => socketFrameKinds[name] === number);
    if (number === socketFrameKinds.wake && payload.length === 0) {
      this.#wake();
      this.#send(socketFrameKinds.taken, number);
    } else if (kind === undefined || payload.length !== reportBytes[kind]) {
      socket.destroy();
    } else if (this.#state === 'attached') {
      this.emit('report', { kind, bytes: payload, atMs: performance.now() });
      this.#act(socket, { kind, bytes: payload });
    }
  }

  #wake(): void {
    if (this.#state !== 'suspended') return;
    if (this.#options.wake === undefined) this.become('attached');
    else this.#options.wake();
  }

  #act(socket: Socket, report: Report): void {
    this.#behind += 1;
    this.#waiting.push(report.kind);
    if (this.#waiting.length > maxWaiting) socket.destroy();
    this.#acknowledge();
    this.#options
      .act(report)
      .catch(() => socket.destroy())
      .finally(() => {
        this.#behind -= 1;
        this.#acknowledge();
      });
  }

  #acknowledge(): void {
    if (this.#behind > (this.#options.maxBehind ?? 8)) return;
    for (const kind of this.#waiting.splice(0)) {
      this.#send(socketFrameKinds.taken, socketFrameKinds[kind]);
    }
  }

  #tellState(): void {
    this.#send(socketFrameKinds.state, states.indexOf(this.#state));
    if (this.#state === 'attached') this.#send(socketFrameKinds.leds, this.#leds);
  }

  #send(kind: number, value: number): void {
    const device = this.#device;
    if (device !== undefined && !device.destroyed) device.write(Uint8Array.of(2, kind, value));
  }
}
