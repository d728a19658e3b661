import { EventEmitter } from 'node:events';
import { EarshotError } from '../../errors/earshot-error.ts';
import type { Log } from '../../log/log.ts';
import { ByteRing } from './byte-ring.ts';
import type { ConsoleLink } from './console-reader.ts';
import { SerialViewer } from './console-viewer.ts';
import { PortKeeper } from './port-keeper.ts';
import type { SerialConfig, SerialSettings } from './serial-config.ts';
import { changedLine, type SerialLine, type SetSerialLine } from './serial-line.ts';
import type { OpenSerialPort, SetSignals } from './serial-port.ts';
import type { SerialStatus } from './serial-status.ts';
import { type SerialTimers, systemTimers } from './serial-timers.ts';

/** How much of the past is kept, in memory alone. */
export const scrollbackBytes = 256 * 1024;

/** Consoles open at once. */
export const maxConsoles = 16;

export interface SerialConsoleOptions {
  readonly config: SerialConfig;
  /** Durable settings: `replace` resolves when the new ones would survive a power cut, or rejects unchanged. */
  readonly settings: {
    current(): SerialSettings;
    replace(settings: SerialSettings): Promise<void>;
  };
  readonly open: OpenSerialPort;
  readonly log: Log;
  readonly timers?: SerialTimers;
}

export interface SerialConsoleEvents {
  /** The port, the line, the writer or the number of consoles changed. */
  state: [SerialStatus];
}

/**
 * The host's serial console: one port, one console that writes, many that read, and the last bytes of
 * the past for whoever joins. The protocol of its WebSocket is CONSOLE-PROTOCOL.md.
 */
export class SerialConsole extends EventEmitter<SerialConsoleEvents> {
  readonly #options: SerialConsoleOptions;
  /** Without a port there is neither. */
  readonly #port: PortKeeper | undefined;
  readonly #ring: ByteRing | undefined;
  readonly #viewers = new Set<SerialViewer>();
  #changes: Promise<unknown> = Promise.resolve();
  #writer: SerialViewer | undefined;
  #lastId = 0;
  #bytesIn = 0;
  #lostInQueue = 0;
  #refusedBytes = 0;
  #missedBytes = 0;
  #breaks = 0;

  constructor(options: SerialConsoleOptions) {
    super();
    this.#options = options;
    const { config, open, log, timers = systemTimers } = options;
    if (config.port === '') return;
    this.#ring = new ByteRing(scrollbackBytes);
    this.#port = new PortKeeper({ path: config.port, line: this.#line(), open, timers, log });
    this.#port.on('data', (bytes) => this.#receive(bytes));
    this.#port.on('state', () => this.#changed());
    this.#port.on('taken', () => this.#writer?.progress());
    this.#port.on('dropped', (bytes) => {
      this.#lostInQueue += bytes;
      this.refuse(bytes);
      this.#writer?.dropped(bytes);
    });
  }

  start(): void {
    this.#port?.start();
  }

  /** Closes the port. Idempotent. */
  async stop(): Promise<void> {
    await this.#port?.stop();
  }

  status(): SerialStatus {
    const port = this.#port;
    const state = port?.state ?? 'none';
    const { dtr = false, rts = false } = port?.signals ?? {};
    return {
      port: this.#options.config.port,
      state: state === 'stopped' ? 'opening' : state,
      reason: port?.reason ?? 'No serial port is configured (serial.port).',
      line: port?.line ?? this.#line(),
      dtr,
      rts,
      writer: this.#writer?.id ?? null,
      consoles: this.#viewers.size,
      scrollbackBytes: this.#ring === undefined ? 0 : this.#ring.end - this.#ring.start,
      bytesIn: this.#bytesIn,
      bytesOut: (port?.settled ?? 0) - this.#lostInQueue,
      refusedBytes: this.#refusedBytes,
      missedBytes: this.#missedBytes,
      reopens: port?.reopens ?? 0,
      breaks: this.#breaks,
    };
  }

  /** Throws SERIAL_NOT_CONFIGURED. */
  assertConfigured(): void {
    this.#configured();
  }

  /**
   * Lets a console read: what is kept of the past first, from the beginning of a line on.
   * Throws SERIAL_NOT_CONFIGURED or SERIAL_TOO_MANY_CONSOLES.
   */
  openViewer(link: ConsoleLink): SerialViewer {
    const { ring } = this.#configured();
    if (this.#viewers.size >= maxConsoles) {
      throw new EarshotError(
        'SERIAL_TOO_MANY_CONSOLES',
        `${this.#viewers.size} consoles are open, and ${maxConsoles} may be; close one.`,
      );
    }
    this.#lastId += 1;
    const viewer = new SerialViewer({ id: `c${this.#lastId}`, console: this, ring, link });
    this.#viewers.add(viewer);
    viewer.begin(this.status());
    this.#changed(viewer);
    return viewer;
  }

  /** What is kept of the past, from the beginning of a line on. Throws SERIAL_NOT_CONFIGURED. */
  scrollback(): Uint8Array {
    const { ring } = this.#configured();
    return ring.read(ring.lineStart(), scrollbackBytes);
  }

  /**
   * Changes the line, durably; a port that is open has it when this resolves. Rejects with
   * SERIAL_NOT_CONFIGURED, SETTINGS_WRITE_FAILED, SERIAL_LINE_REFUSED or what opening the port rejects
   * with, and the line is then as it was.
   */
  setLine(change: SetSerialLine): Promise<SerialStatus> {
    const result = this.#changes.then(() => this.#changeLine(change));
    this.#changes = result.catch(() => undefined);
    return result;
  }

  async #changeLine(change: SetSerialLine): Promise<SerialStatus> {
    const { port } = this.#configured();
    const { settings } = this.#options;
    const before = settings.current();
    const line = changedLine(this.#line(), change);
    await settings.replace({ ...before, line });
    try {
      await port.setLine(line);
    } catch (error) {
      await settings.replace(before);
      throw error;
    }
    this.#changed();
    return this.status();
  }

  /** Sends a break of `ms`. Rejects with SERIAL_NOT_CONFIGURED, SERIAL_PORT_CLOSED or SERIAL_SIGNALS_UNSUPPORTED. */
  async sendBreak(ms: number): Promise<SerialStatus> {
    await this.#configured().port.sendBreak(ms);
    this.#breaks += 1;
    return this.status();
  }

  /** Sets DTR and RTS. Rejects as {@link sendBreak}. */
  async setSignals(change: SetSignals): Promise<void> {
    await this.#configured().port.setSignals(change);
    this.#changed();
  }

  /** For viewers: the port's queue. */
  get port(): PortKeeper {
    return this.#configured().port;
  }

  /** For viewers: who writes. */
  get writer(): SerialViewer | undefined {
    return this.#writer;
  }

  /** For viewers: `viewer` writes from now on, or nobody does. */
  setWriter(viewer: SerialViewer | undefined): void {
    this.#writer = viewer;
    this.#changed();
  }

  /** For viewers: bytes of a writer did not reach the port. */
  refuse(bytes: number): void {
    this.#refusedBytes += bytes;
  }

  /** For viewers: a slow reader missed bytes. */
  miss(bytes: number): void {
    this.#missedBytes += bytes;
  }

  /** For viewers: one left. */
  remove(viewer: SerialViewer): void {
    if (!this.#viewers.delete(viewer)) return;
    if (this.#writer === viewer) this.#writer = undefined;
    this.#changed();
  }

  #line(): SerialLine {
    const { baudRate, dataBits, parity, stopBits, flowControl } = this.#options.config;
    const configured = { baudRate, dataBits, parity, stopBits, flowControl };
    return this.#options.settings.current().line ?? configured;
  }

  #configured(): { readonly port: PortKeeper; readonly ring: ByteRing } {
    if (this.#port === undefined || this.#ring === undefined) {
      throw new EarshotError(
        'SERIAL_NOT_CONFIGURED',
        'This device has no serial console: set serial.port in the configuration.',
      );
    }
    return { port: this.#port, ring: this.#ring };
  }

  #receive(bytes: Uint8Array): void {
    this.#bytesIn += bytes.length;
    this.#ring?.append(bytes);
    for (const viewer of this.#viewers) viewer.pump();
  }

  #changed(except?: SerialViewer): void {
    const status = this.status();
    for (const viewer of this.#viewers) {
      if (viewer !== except) viewer.tell({ type: 'state', status });
    }
    this.emit('state', status);
  }
}
