import type { Log } from '../../log/log.ts';
import type { OpenSerialPort } from '../serial/serial-port.ts';
import { type SerialTimers, systemTimers } from '../serial/serial-timers.ts';
import { GpioBoard, type OpenPowerLines } from './gpio-board.ts';
import type { PowerBoard } from './power-board.ts';
import type { PowerConfig } from './power-config.ts';
import { UartBoard } from './uart-board.ts';

/** The board that the configuration names; undefined for none. */
export function createPowerBoard(options: {
  readonly config: PowerConfig;
  readonly openPort: OpenSerialPort;
  readonly openLines: OpenPowerLines;
  readonly log: Log;
  readonly timers?: SerialTimers;
}): PowerBoard | undefined {
  const { config, openPort, openLines, log, timers = systemTimers } = options;
  switch (config.kind) {
    case 'none':
      return undefined;
    case 'uart': {
      const { port: path, baudRate } = config.uart;
      return new UartBoard({ path, baudRate, open: openPort, timers, log });
    }
    case 'gpio':
      return new GpioBoard({ config: config.gpio, open: openLines, timers, log });
  }
}
