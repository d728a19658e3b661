import { EventEmitter } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Log } from '../../log/log.ts';
import {
  type HidHost,
  type HidHostEvents,
  type HostState,
  type ReportKind,
  writeDeadlineMs,
} from './hid-host.ts';
import { reportBytes } from './reports.ts';
import {
  reportFrame,
  SocketFrameReader,
  type SocketHostFrame,
  type Taken,
  wakeFrame,
} from './socket-frames.ts';

export interface SocketHostOptions {
  /** Path of the host's Unix stream socket. */
  readonly path: string;
  readonly log: Log;
  /** A source of numbers in [0, 1), for the waits between two tries. */
  readonly random?: () => number;
}

/** Waits between two tries to connect, in ms: doubling from the first to the last, a quarter of each random. */
const firstRetryMs = 100;
const lastRetryMs = 5_000;

/** How long a connection may take, in ms. */
const connectMs = 1_000;

/** Where one kind of frame stands. */
interface Slot {
  /** One was sent that is not acknowledged. */
  unacknowledged: boolean;
  /** Who waits for the acknowledgement: with true for it, with false for the end of the connection. */
  waiter: ((acknowledged: boolean) => void) | undefined;
}

/**
 * A program behind a Unix socket as the host: the demo's desktop, a test. Connects, and again when it is gone.
 *
 * INVARIANT: at most one frame of a kind is not acknowledged; while one is, no other of that kind is sent, so
 * a host that stands still gets at most one report that is old.
 */
export class SocketHost extends EventEmitter<HidHostEvents> implements HidHost {
  readonly #options: SocketHostOptions;
  readonly #slots = new Map<Taken, Slot>();
  #state: HostState = 'detached';
  #reason: string;
  #socket: Socket | undefined;
  #retry: NodeJS.Timeout | undefined;
  #retryMs = firstRetryMs;
  #running = false;

  constructor(options: SocketHostOptions) {
    super();
    this.#options = options;
    this.#reason = `not connected to ${options.path} yet`;
  }

  get state(): HostState {
    return this.#state;
  }

  get reason(): string {
    return this.#reason;
  }

  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    this.#connect();
  }

  async stop(): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    clearTimeout(this.#retry);
    const socket = this.#socket;
    this.#socket = undefined;
    this.#lose('keyboard and mouse are stopped');
    if (socket === undefined || socket.closed) return;
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
      socket.destroy();
    });
  }

  async write(kind: ReportKind, report: Uint8Array): Promise<boolean> {
    if (report.length !== reportBytes[kind]) {
      const fields = { kind, bytes: report.length, expected: reportBytes[kind] };
      this.#options.log.error(fields, 'a report of the wrong length was not written');
      return false;
    }
    return this.#state === 'attached' && this.#deliver(kind, reportFrame(kind, report));
  }

  async wake(): Promise<boolean> {
    return this.#state === 'suspended' && this.#deliver('wake', wakeFrame);
  }

  /** Sends it, when the one before is acknowledged, and waits until it is too; all of it within the deadline. */
  #deliver(kind: Taken, frame: Uint8Array): Promise<boolean> {
    const slot = this.#slot(kind);
    // Somebody waits already: one of a kind at a time.
    if (slot.waiter !== undefined) return Promise.resolve(false);
    return new Promise((resolve) => {
      const over = (taken: boolean) => {
        clearTimeout(deadline);
        slot.waiter = undefined;
        resolve(taken);
      };
      const send = () => {
        slot.unacknowledged = true;
        slot.waiter = over;
        this.#socket?.write(frame);
      };
      const deadline = setTimeout(() => over(false), writeDeadlineMs);
      if (slot.unacknowledged) slot.waiter = (late) => (late ? send() : over(false));
      else send();
    });
  }

  #slot(kind: Taken): Slot {
    const known = this.#slots.get(kind);
    if (known !== undefined) return known;
    const slot: Slot = { unacknowledged: false, waiter: undefined };
    this.#slots.set(kind, slot);
    return slot;
  }

  #connect(): void {
    const { path, log } = this.#options;
    const reader = new SocketFrameReader();
    const socket = connect(path);
    let reason = `the host at ${path} closed the connection`;
    this.#socket = socket;
    socket.setTimeout(connectMs, () => socket.destroy(new Error('it did not answer in time')));
    socket.on('connect', () => {
      socket.setTimeout(0);
      log.info({ path }, 'connected to the host of keyboard and mouse');
    });
    socket.on('error', (error) => {
      reason = `cannot reach the host at ${path}: ${error.message}`;
    });
    socket.on('data', (bytes) => {
      const frames = reader.read(bytes);
      for (const frame of frames ?? []) this.#handle(frame);
      if (frames !== undefined) return;
      reason = `the host at ${path} does not speak the protocol`;
      log.warn({ path }, 'the host of keyboard and mouse sent what is no frame');
      socket.destroy();
    });
    socket.on('close', () => {
      if (this.#socket !== socket) return;
      this.#lose(reason);
      this.#retryLater();
    });
  }

  #handle(frame: SocketHostFrame): void {
    switch (frame.kind) {
      case 'leds':
        this.emit('leds', frame.mask);
        break;
      case 'state':
        // Only a host that says what it is has shown to be one.
        this.#retryMs = firstRetryMs;
        this.#setState(frame.state, frame.state === 'attached' ? '' : `the host is ${frame.state}`);
        break;
      case 'taken': {
        const slot = this.#slot(frame.of);
        slot.unacknowledged = false;
        slot.waiter?.(true);
        break;
      }
      default:
        frame satisfies never;
    }
  }

  /** The connection is gone, and with it everything that was under way. */
  #lose(reason: string): void {
    for (const slot of this.#slots.values()) {
      slot.unacknowledged = false;
      slot.waiter?.(false);
    }
    this.#setState('detached', reason);
  }

  #setState(state: HostState, reason: string): void {
    if (state === this.#state && reason === this.#reason) return;
    this.#state = state;
    this.#reason = reason;
    this.emit('state', state, reason);
  }

  #retryLater(): void {
    const { random = Math.random } = this.#options;
    this.#retry = setTimeout(() => this.#connect(), this.#retryMs * (1 - 0.25 * random()));
    this.#retryMs = Math.min(this.#retryMs * 2, lastRetryMs);
  }
}
