import { EventEmitter } from 'node:events';
import { EarshotError, isEarshotError, messageOf } from '../../errors/earshot-error.ts';
import type { Log } from '../../log/log.ts';
import { PortQueue } from './port-queue.ts';
import type { SerialLine } from './serial-line.ts';
import { lineText } from './serial-line.ts';
import type { OpenSerialPort, SerialPort, SerialSignals, SetSignals } from './serial-port.ts';
import type { SerialTimers } from './serial-timers.ts';

/** Bytes that may wait for a port whose host is slow, or holds them by flow control. */
export const portQueueBytes = 64 * 1024;

/** Pauses between tries to open a port, in ms; the last one repeats. */
export const retriesMs = [250, 500, 1_000, 2_000] as const;

/** After this long without an answer of the driver, a person is told, in ms. */
const slowMs = 5_000;
/** What stopping waits for a driver. */
const stopMs = 2_000;

export interface PortKeeperOptions {
  readonly path: string;
  readonly line: SerialLine;
  readonly open: OpenSerialPort;
  readonly timers: SerialTimers;
  readonly log: Log;
}

export interface PortKeeperEvents {
  /** `state` or `reason` changed. */
  state: [];
  /** From the line. Valid during the call only. */
  data: [Uint8Array];
  /** The port took bytes of the queue. */
  taken: [];
  /** The port went away with this many bytes in the queue, which are gone. */
  dropped: [bytes: number];
}

/**
 * Keeps a serial port open: opens it, and opens it again after it was unplugged, was taken by another
 * program or failed, for as long as it is started.
 *
 * INVARIANTS: at most one port is open or being opened. Whatever concerns the port happens one thing
 * after another. The queue holds bytes only while a port is open.
 */
export class PortKeeper extends EventEmitter<PortKeeperEvents> {
  readonly #options: PortKeeperOptions;
  readonly #queue = new PortQueue(portQueueBytes);
  #line: SerialLine;
  #signals: SerialSignals = { dtr: true, rts: true, break: false };
  #state: 'stopped' | 'opening' | 'open' = 'stopped';
  #reason = 'The port has not been opened yet.';
  #port: SerialPort | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #tries = 0;
  #opened = 0;
  #accepted = 0;
  #settled = 0;
  #cancelRetry: () => void = () => undefined;
  #endBreak: () => void = () => undefined;

  constructor(options: PortKeeperOptions) {
    super();
    this.#options = options;
    this.#line = options.line;
  }

  get state(): 'stopped' | 'opening' | 'open' {
    return this.#state;
  }

  /** Why it is not open; empty while it is. */
  get reason(): string {
    return this.#reason;
  }

  get line(): SerialLine {
    return this.#line;
  }

  get signals(): SerialSignals {
    return this.#signals;
  }

  /** Times it was opened after the first. */
  get reopens(): number {
    return Math.max(0, this.#opened - 1);
  }

  /** Bytes that were let into the queue, ever; of those, bytes that no longer are in it. */
  get accepted(): number {
    return this.#accepted;
  }

  get settled(): number {
    return this.#settled;
  }

  start(): void {
    if (this.#state !== 'stopped') return;
    this.#setState('opening', 'The port is being opened.');
    this.#openInTurn();
  }

  /** Closes the port; a driver that does not let it is not waited for. Idempotent. */
  async stop(): Promise<void> {
    if (this.#state === 'stopped') return;
    this.#setState('stopped', 'The port is closed.');
    this.#cancelRetry();
    this.#endBreak();
    const closed = this.#inTurn(() => this.#close());
    await this.#within(stopMs, closed);
  }

  /** Lets as many of the first bytes into the queue as there is room for, and says how many; none while it is not open. */
  write(bytes: Uint8Array): number {
    if (this.#state !== 'open') return 0;
    const taken = this.#queue.add(bytes);
    this.#accepted += taken;
    this.#pump();
    return taken;
  }

  /** Sets the line, now where the port is open. Rejects as opening does, or with SERIAL_LINE_REFUSED, with the line as it was. */
  setLine(line: SerialLine): Promise<void> {
    return this.#inTurn(async () => {
      const before = this.#line;
      if (lineText(line) === lineText(before)) return;
      this.#line = line;
      const port = this.#port;
      if (port === undefined) return;
      try {
        if (lineText({ ...line, baudRate: before.baudRate }) === lineText(before)) {
          await port.setBaudRate(line.baudRate);
        } else {
          this.#setState('opening', 'The port is being opened with another line.');
          await this.#close();
          await this.#open();
        }
      } catch (error) {
        this.#line = before;
        if (this.#port === undefined) this.#retry(error);
        throw error;
      }
    });
  }

  /** Holds the line at space for `ms`. Rejects with SERIAL_PORT_CLOSED or SERIAL_SIGNALS_UNSUPPORTED. */
  sendBreak(ms: number): Promise<void> {
    return this.#inTurn(async () => {
      const port = this.#openPort();
      await port.setSignals({ ...this.#signals, break: true });
      await new Promise<void>((resolve) => {
        const cancel = this.#options.timers.after(ms, resolve);
        this.#endBreak = () => {
          cancel();
          resolve();
        };
      });
      this.#endBreak = () => undefined;
      // A port that went away meanwhile took the break with it.
      if (this.#port === port) await port.setSignals(this.#signals);
    });
  }

  /** Sets DTR and RTS. Rejects with SERIAL_PORT_CLOSED or SERIAL_SIGNALS_UNSUPPORTED. */
  setSignals(change: SetSignals): Promise<void> {
    return this.#inTurn(async () => {
      const { dtr, rts } = this.#signals;
      const signals = { dtr: change.dtr ?? dtr, rts: change.rts ?? rts, break: false };
      await this.#openPort().setSignals(signals);
      this.#signals = signals;
    });
  }

  #openPort(): SerialPort {
    if (this.#port === undefined) throw portClosed(this.#options.path, this.#reason);
    return this.#port;
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#last.then(action, action);
    this.#last = result.catch(() => undefined);
    return result;
  }

  #openInTurn(): void {
    void this.#inTurn(async () => {
      if (this.#state !== 'opening' || this.#port !== undefined) return;
      try {
        await this.#open();
      } catch (error) {
        this.#retry(error);
      }
    });
  }

  async #open(): Promise<void> {
    const { path, open, timers } = this.#options;
    const tell = timers.after(slowMs, () =>
      this.#setState('opening', `The driver of ${path} has not opened it for ${slowMs / 1_000} s.`),
    );
    let current: SerialPort | undefined;
    let lostEarly: string | undefined;
    try {
      current = await open(
        { path, line: this.#line },
        {
          data: (bytes) => this.emit('data', bytes),
          writable: () => this.#pump(),
          lost: (reason) => {
            if (current === undefined) lostEarly = reason;
            else this.#lost(current, reason);
          },
        },
      );
    } finally {
      tell();
    }
    this.#port = current;
    if (this.#state === 'stopped') return this.#close();
    this.#opened += 1;
    this.#tries = 0;
    await this.#restoreSignals(current);
    this.#setState('open', '');
    this.#options.log.info({ path, line: lineText(this.#line) }, 'serial port opened');
    if (lostEarly !== undefined) this.#lost(current, lostEarly);
  }

  /** Opening raises DTR and RTS. */
  async #restoreSignals(port: SerialPort): Promise<void> {
    const { dtr, rts } = this.#signals;
    if (dtr && rts) return;
    try {
      await port.setSignals(this.#signals);
    } catch (error) {
      // Another adapter than the one that took them.
      this.#signals = { dtr: true, rts: true, break: false };
      this.#options.log.warn({ error: messageOf(error) }, 'DTR and RTS could not be set again');
    }
  }

  #lost(port: SerialPort, reason: string): void {
    if (port !== this.#port) return;
    void this.#inTurn(async () => {
      if (port === this.#port) await this.#close();
    });
    this.#retry(new Error(reason));
  }

  /** Says why the port is not open, and tries again after a pause. */
  #retry(error: unknown): void {
    if (this.#state === 'stopped') return;
    const { path, timers, log } = this.#options;
    const reason = messageOf(error);
    // Each reason once: a port that is away for days is no news every two seconds.
    if (reason !== this.#reason) {
      const code = isEarshotError(error) ? error.code : undefined;
      log.warn({ path, code, reason }, 'serial port is not open, and tried again');
    }
    this.#setState('opening', reason);
    const pauseMs = retriesMs[Math.min(this.#tries, retriesMs.length - 1)] ?? 0;
    this.#tries += 1;
    this.#cancelRetry();
    this.#cancelRetry = timers.after(pauseMs, () => this.#openInTurn());
  }

  async #close(): Promise<void> {
    const port = this.#port;
    this.#port = undefined;
    const dropped = this.#queue.clear();
    this.#settled += dropped;
    if (dropped > 0) this.emit('dropped', dropped);
    await port?.close();
  }

  #pump(): void {
    const port = this.#port;
    if (port === undefined) return;
    const before = this.#queue.bytes;
    this.#queue.drain((bytes) => port.write(bytes));
    const taken = before - this.#queue.bytes;
    this.#settled += taken;
    if (taken > 0) this.emit('taken');
  }

  #setState(state: 'stopped' | 'opening' | 'open', reason: string): void {
    if (state === this.#state && reason === this.#reason) return;
    this.#state = state;
    this.#reason = reason;
    this.emit('state');
  }

  async #within(ms: number, done: Promise<unknown>): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#options.timers.after(ms, resolve);
      const finish = (): void => {
        cancel();
        resolve();
      };
      done.then(finish, finish);
    });
  }
}

/** What is asked of a port that is not open. */
export function portClosed(path: string, reason: string): EarshotError {
  return new EarshotError('SERIAL_PORT_CLOSED', `The serial port ${path} is not open: ${reason}`, {
    details: { path, reason },
  });
}
