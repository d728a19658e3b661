import { EventEmitter, once } from 'node:events';
import { parseArgs } from 'node:util';
import {
  type AtxFields,
  atxProtocolVersion,
  LineCutter,
  readLine,
  writeLine,
} from '../../src/control/power/atx-lines.ts';
import { openNativeSerialPort } from '../../src/control/serial/native-serial-port.ts';
import type { SerialPort } from '../../src/control/serial/serial-port.ts';

/**
 * A power board as src/control/power/ATX-PROTOCOL.md has it, with a computer at its buttons: a short
 * press switches it on, or asks its system to switch it off, a long one forces it off, a reset starts
 * it anew. As a program, on a serial port or a pseudo-terminal:
 *
 *   node test/lab/atx-board.ts --port PATH [--off-ms 500] [--on]
 *
 * It prints a line for each thing that happens to the computer: `on`, `off`, `reset`, and `pressed` and
 * `released` for the buttons.
 */

const longestPressMs = 15_000;
/** A power supply goes off when the button was held for so long (ATX12V §3.3.3 leaves it to the board: 4 s). */
const forceOffMs = 4_000;

export interface SimulatedBoardOptions {
  readonly send: (line: string) => void;
  /** How long the computer's system takes to switch off when it is asked to, in ms. */
  readonly offMs: number;
  readonly isOn?: boolean;
  /** What is wired; without `power` LED its field is missing. */
  readonly buttons?: readonly string[];
  readonly hasPowerLed?: boolean;
}

/** The board and its computer, whatever carries its lines. */
export class SimulatedBoard extends EventEmitter<{ happened: [string] }> {
  readonly #options: Required<SimulatedBoardOptions>;
  readonly #cutter: LineCutter;
  #on: boolean;
  #disk = 0;
  #held:
    | { button: string; sinceMs: number; timer: NodeJS.Timeout; force: NodeJS.Timeout }
    | undefined;
  #shutdown: NodeJS.Timeout | undefined;

  constructor(options: SimulatedBoardOptions) {
    super();
    this.#options = { isOn: false, buttons: ['power', 'reset'], hasPowerLed: true, ...options };
    this.#on = this.#options.isOn;
    this.#cutter = new LineCutter({
      onLine: (text) => this.#line(text),
      onGarbage: () => undefined,
    });
  }

  get isOn(): boolean {
    return this.#on;
  }

  get held(): string | undefined {
    return this.#held?.button;
  }

  /** It has power: it greets the device. */
  begin(): void {
    this.#event('hello', { protocol: atxProtocolVersion });
  }

  receive(bytes: Uint8Array): void {
    this.#cutter.push(bytes);
  }

  /** How long the disk LED was lit in the last second, in ms. */
  setDisk(litMs: number): void {
    this.#disk = litMs;
    this.#event('led', { disk: String(litMs) });
  }

  /** It has no power any more. */
  end(): void {
    clearTimeout(this.#held?.timer);
    clearTimeout(this.#held?.force);
    clearTimeout(this.#shutdown);
    this.#held = undefined;
  }

  #line(text: string): void {
    const line = readLine(text);
    if (line?.kind !== 'request') return;
    const [verb, ...rest] = line.words;
    const ok = (fields: AtxFields = {}): void =>
      this.#options.send(writeLine({ kind: 'done', id: line.id, fields }));
    const refuse = (word: string): void =>
      this.#options.send(writeLine({ kind: 'refused', id: line.id, word }));
    if (verb === 'press') this.#press(rest, ok, refuse);
    else if (rest.length !== (verb === 'hello' ? 1 : 0)) refuse('syntax');
    else if (verb === 'hello') ok(this.#greeting());
    else if (verb === 'state') ok(this.#leds());
    else if (verb === 'release') {
      ok();
      this.#release();
    } else refuse('verb');
  }

  #greeting(): AtxFields {
    const buttons = this.#options.buttons.join(',');
    return { protocol: atxProtocolVersion, name: 'simulated', buttons, ...this.#leds() };
  }

  #leds(): AtxFields {
    const power = this.#options.hasPowerLed ? { power: this.#on ? 'on' : 'off' } : {};
    return { ...power, disk: String(this.#disk) };
  }

  #press(rest: readonly string[], ok: () => void, refuse: (word: string) => void): void {
    const [button = '', text = ''] = rest;
    const ms = Number(text);
    if (rest.length !== 2) refuse('syntax');
    else if (!this.#options.buttons.includes(button)) refuse('button');
    else if (!/^\d+$/.test(text) || ms < 50 || ms > longestPressMs) refuse('range');
    else if (this.#held !== undefined) refuse('busy');
    else {
      ok();
      this.#hold(button, ms);
    }
  }

  #hold(button: string, ms: number): void {
    this.emit('happened', `pressed ${button}`);
    this.#held = {
      button,
      sinceMs: performance.now(),
      timer: setTimeout(() => this.#release(), ms),
      force: setTimeout(() => button === 'power' && this.#setOn(false), forceOffMs),
    };
    if (button === 'power' && !this.#on) this.#setOn(true);
    else if (button === 'power') {
      clearTimeout(this.#shutdown);
      this.#shutdown = setTimeout(() => this.#setOn(false), this.#options.offMs);
    } else if (this.#on) this.emit('happened', 'reset');
  }

  #release(): void {
    const held = this.#held;
    if (held === undefined) return;
    clearTimeout(held.timer);
    clearTimeout(held.force);
    this.#held = undefined;
    this.emit('happened', `released ${held.button}`);
    this.#event('released', { button: held.button });
  }

  #setOn(on: boolean): void {
    clearTimeout(this.#shutdown);
    if (on === this.#on) return;
    this.#on = on;
    this.emit('happened', on ? 'on' : 'off');
    if (this.#options.hasPowerLed) this.#event('led', { power: on ? 'on' : 'off' });
  }

  #event(name: string, fields: AtxFields): void {
    this.#options.send(writeLine({ kind: 'event', name, fields }));
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string' },
      'off-ms': { type: 'string', default: '500' },
      on: { type: 'boolean', default: false },
    },
  });
  if (values.port === undefined) throw new Error('--port PATH is missing');
  let port: SerialPort | undefined;
  const board = new SimulatedBoard({
    send: (line) => port?.write(Buffer.from(line, 'latin1')),
    offMs: Number(values['off-ms']),
    isOn: values.on,
  });
  const gone = new EventEmitter<{ gone: [] }>();
  board.on('happened', (what) => process.stdout.write(`${what}\n`));
  port = await openNativeSerialPort(
    {
      path: values.port,
      line: { baudRate: 115_200, dataBits: 8, parity: 'none', stopBits: 1, flowControl: 'none' },
    },
    {
      data: (bytes) => board.receive(bytes),
      writable: () => undefined,
      lost: () => gone.emit('gone'),
    },
  );
  process.stdout.write('ready\n');
  board.begin();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => gone.emit('gone'));
  await once(gone, 'gone');
  board.end();
  await port.close();
  process.exit(0);
}

if (process.argv[1] === import.meta.filename) await main();
