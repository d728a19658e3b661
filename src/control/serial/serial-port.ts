import type { SerialLine } from './serial-line.ts';

/** What an open port tells whoever opened it. None is called again after `lost` or `close`. */
export interface SerialPortHandlers {
  /** Bytes from the line as they came, every value of them. Valid during the call only. */
  data(bytes: Uint8Array): void;
  /** The driver takes bytes again, after a `write` that it did not take whole. */
  writable(): void;
  /** The port is gone: unplugged, hung up, or failed. It still has to be closed. */
  lost(reason: string): void;
}

/** The lines that the device drives. */
export interface SerialSignals {
  readonly dtr: boolean;
  readonly rts: boolean;
  /** The line is held at space: longer than a frame, the other end reads it as a break. */
  readonly break: boolean;
}

/** A change of DTR and RTS; what is left out stays. */
export interface SetSignals {
  readonly dtr?: boolean | undefined;
  readonly rts?: boolean | undefined;
}

/** An open serial port. */
export interface SerialPort {
  /** Hands the driver as many of the first bytes as it takes at once, and says how many; never waits. */
  write(bytes: Uint8Array): number;
  /** Changes the rate without closing the port. Rejects with SERIAL_LINE_REFUSED. */
  setBaudRate(baudRate: number): Promise<void>;
  /** Rejects with SERIAL_SIGNALS_UNSUPPORTED for a port without such lines, e.g. a pseudo-terminal. */
  setSignals(signals: SerialSignals): Promise<void>;
  /** What the driver has not sent yet is thrown away. Idempotent; never rejects. */
  close(): Promise<void>;
}

export interface SerialPortOptions {
  readonly path: string;
  readonly line: SerialLine;
}

/**
 * Opens a port for this process alone, raising DTR and RTS. Rejects with SERIAL_PORT_MISSING,
 * SERIAL_PORT_BUSY, SERIAL_PORT_FAILED or SERIAL_NATIVE_MISSING.
 */
export type OpenSerialPort = (
  options: SerialPortOptions,
  handlers: SerialPortHandlers,
) => Promise<SerialPort>;
