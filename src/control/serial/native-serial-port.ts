import { readSync, writeSync } from 'node:fs';
import type { SerialPort as LibrarySerialPort } from 'serialport';
import { EarshotError, messageOf } from '../../errors/earshot-error.ts';
import type {
  OpenSerialPort,
  SerialPort,
  SerialPortHandlers,
  SerialPortOptions,
  SerialSignals,
} from './serial-port.ts';

/**
 * A serial port of the system through the `serialport` library: it opens, locks and sets the port, and
 * says when it can be read and written. Reading and writing itself is done here, without its threads
 * and streams: those read on for ever after a hang-up (a read of nothing), and stop reading while a
 * write waits, so that a host which holds the line with flow control could not be heard either.
 */

type OpenBinding = typeof LibrarySerialPort.binding.open;
type Binding = Extract<Awaited<ReturnType<OpenBinding>>, { readonly poller: unknown }>;

/** What the library's poller waits for (uv_poll_start). */
const polls = { readable: 1, writable: 2 } as const;

/** What a poller's error and a read of nothing mean. */
const hungUp = 'unplugged, or hung up';

/** A tty hands out at most 4 KiB at once, a USB adapter what it has. */
const readBytes = 64 * 1024;

export const openNativeSerialPort: OpenSerialPort = async (options, handlers) => {
  const open = await loadOpen();
  return new NativeSerialPort(await openBinding(open, options), options.path, handlers);
};

/** Loaded when a port is opened, since most devices have none. */
async function loadOpen(): Promise<OpenBinding> {
  try {
    const { SerialPort } = await import('serialport');
    return SerialPort.binding.open.bind(SerialPort.binding);
  } catch (cause) {
    throw new EarshotError(
      'SERIAL_NATIVE_MISSING',
      `The native module of serial ports cannot be loaded: ${messageOf(cause).trim()}.`,
      { cause },
    );
  }
}

async function openBinding(open: OpenBinding, { path, line }: SerialPortOptions): Promise<Binding> {
  const { baudRate, dataBits, parity, stopBits, flowControl } = line;
  const software = flowControl === 'xonxoff';
  try {
    const port = await open({
      ...{ path, baudRate, dataBits, parity, stopBits },
      ...{ rtscts: flowControl === 'rtscts', xon: software, xoff: software },
    });
    if ('poller' in port) return port;
    throw new Error(`serial ports are not supported on ${process.platform}`);
  } catch (cause) {
    throw openError(path, cause);
  }
}

/** The library knows its errors by their text alone: `Error: No such file or directory, cannot open …`. */
function openError(path: string, cause: unknown): EarshotError {
  const text = messageOf(cause);
  const options = { cause, details: { path } };
  if (/No such (file|device)/.test(text)) {
    return new EarshotError('SERIAL_PORT_MISSING', `There is no ${path}.`, options);
  }
  if (/Cannot lock port|Device or resource busy/.test(text)) {
    return new EarshotError(
      'SERIAL_PORT_BUSY',
      `Another program has ${path} open (fuser -v ${path} names it).`,
      options,
    );
  }
  const reason = /Inappropriate ioctl/.test(text)
    ? 'it is no serial port'
    : text.replace(/^Error:? /, '');
  return new EarshotError(
    'SERIAL_PORT_FAILED',
    `The serial port ${path} cannot be opened: ${reason}.`,
    options,
  );
}

class NativeSerialPort implements SerialPort {
  readonly #binding: Binding;
  readonly #fd: number;
  readonly #path: string;
  readonly #handlers: SerialPortHandlers;
  readonly #buffer = Buffer.allocUnsafeSlow(readBytes);
  #state: 'open' | 'lost' | 'closed' = 'open';
  #full = false;

  constructor(binding: Binding, path: string, handlers: SerialPortHandlers) {
    this.#binding = binding;
    this.#fd = binding.fd ?? -1;
    this.#path = path;
    this.#handlers = handlers;
    binding.poller.on('readable', (error: Error | null) => this.#readable(error));
    binding.poller.on('writable', (error: Error | null) => this.#writable(error));
    this.#poll();
  }

  write(bytes: Uint8Array): number {
    if (this.#state !== 'open' || this.#full) return 0;
    try {
      // The library opens ports non-blocking, so this returns at once.
      const taken = writeSync(this.#fd, bytes);
      this.#full = taken < bytes.length;
      if (this.#full) this.#poll();
      return taken;
    } catch (error) {
      if (isAgain(error)) {
        this.#full = true;
        this.#poll();
      } else {
        this.#lose(messageOf(error));
      }
      return 0;
    }
  }

  async setBaudRate(baudRate: number): Promise<void> {
    try {
      await this.#binding.update({ baudRate });
    } catch (cause) {
      throw new EarshotError(
        'SERIAL_LINE_REFUSED',
        `${this.#path} does not take ${baudRate} baud: ${messageOf(cause)}.`,
        { cause },
      );
    }
  }

  async setSignals(signals: SerialSignals): Promise<void> {
    const { dtr, rts, break: brk } = signals;
    try {
      await this.#binding.set({ dtr, rts, brk, cts: false, dsr: false });
    } catch (cause) {
      throw new EarshotError(
        'SERIAL_SIGNALS_UNSUPPORTED',
        `${this.#path} has no DTR, RTS or break: ${messageOf(cause)}.`,
        { cause },
      );
    }
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#binding.poller.removeAllListeners();
    try {
      // Closing would wait for what flow control keeps from being sent, and keep a thread meanwhile.
      await this.#binding.flush();
    } catch {
      // A port that is gone has nothing to throw away.
    }
    try {
      await this.#binding.close();
    } catch {
      // Nothing is left to do about a descriptor that the system does not close well.
    }
  }

  /** The library's poller waits for what it was asked for last, and forgets it once it came. */
  #poll(): void {
    if (this.#state !== 'open') return;
    this.#binding.poller.poll(this.#full ? polls.readable | polls.writable : polls.readable);
  }

  #readable(error: Error | null): void {
    if (error !== null) {
      this.#lose(hungUp);
      return;
    }
    if (this.#state !== 'open') return;
    try {
      const length = readSync(this.#fd, this.#buffer, 0, this.#buffer.length, null);
      if (length === 0) {
        this.#lose(hungUp);
        return;
      }
      this.#handlers.data(this.#buffer.subarray(0, length));
    } catch (cause) {
      if (!isAgain(cause)) {
        this.#lose(messageOf(cause));
        return;
      }
    }
    this.#poll();
  }

  #writable(error: Error | null): void {
    if (error !== null) {
      this.#lose(hungUp);
      return;
    }
    if (!this.#full) return;
    this.#full = false;
    this.#handlers.writable();
    this.#poll();
  }

  #lose(reason: string): void {
    if (this.#state !== 'open') return;
    this.#state = 'lost';
    this.#binding.poller.removeAllListeners();
    this.#binding.poller.poll(0);
    this.#handlers.lost(`${this.#path} went away: ${reason}.`);
  }
}

function isAgain(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'EAGAIN' || code === 'EINTR';
}
