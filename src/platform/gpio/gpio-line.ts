import { closeSync } from 'node:fs';
import { EarshotError, isEarshotError, messageOf } from '../../errors/earshot-error.ts';
import { FileWatch } from '../native/file-watch.ts';
import { nativePlatform } from '../native/native-platform.ts';
import { failed, type GpioChip, lineOffset } from './gpio-chip.ts';

/** A line as its user wants it. */
export interface GpioLineRequest {
  /** Name in the device tree, or number on the chip. */
  readonly line: string | number;
  readonly direction: 'in' | 'out';
  /** True where the line is low when its value is true. */
  readonly activeLow?: boolean;
  /** Of an output, as long as nothing is set; false by default. */
  readonly initial?: boolean;
  readonly bias?: 'pull-up' | 'pull-down' | 'disabled';
  /** Drives low only, and lets go for high. */
  readonly openDrain?: boolean;
  /** How long an input has to be steady to count, in µs; 0: it counts at once. */
  readonly debounceUs?: number;
}

/** GPIO_V2_LINE_FLAG_* of linux/gpio.h. */
const flags = {
  activeLow: 1 << 1,
  input: 1 << 2,
  output: 1 << 3,
  edges: (1 << 4) | (1 << 5),
  openDrain: 1 << 6,
  'pull-up': 1 << 8,
  'pull-down': 1 << 9,
  disabled: 1 << 10,
} as const;

/** Shown to whoever asks who holds the line. */
const consumer = 'earshot';

/** Chips without interrupts (most on I²C) cannot tell of edges; their inputs are looked at so often, in ms. */
const sampleEveryMs = 20;
const noInterrupts = new Set(['ENODEV', 'ENXIO', 'EINVAL', 'EOPNOTSUPP']);

/** More edges than this in one go are told as the value that they end with. */
const maxEdges = 64;

interface GpioLineEvents {
  readonly onChange: (value: boolean) => void;
  /** The line is gone: its chip was taken away. */
  readonly onLost: (error: EarshotError) => void;
}

/** A GPIO line that is held. Values are logical: true is active. */
export class GpioLine {
  readonly #name: string;
  readonly #fd: number;
  readonly #events: GpioLineEvents;
  #watch: FileWatch | undefined;
  #timer: NodeJS.Timeout | undefined;
  #last = false;
  #closed = false;

  /** Takes the line. Throws GPIO_LINE_UNKNOWN, GPIO_LINE_BUSY or GPIO_FAILED. */
  constructor(chip: GpioChip, request: GpioLineRequest, events: GpioLineEvents) {
    const offset = lineOffset(chip, request.line);
    this.#name = `${chip.info.name} line ${request.line}`;
    this.#events = events;
    const wanted = flagsOf(request);
    if (request.direction === 'out') {
      this.#fd = take(chip, offset, wanted, request);
      return;
    }
    const withEdges = takeWithEdges(chip, offset, wanted, request);
    this.#fd = withEdges ?? take(chip, offset, wanted, request);
    try {
      if (withEdges === undefined) this.#timer = setInterval(() => this.#sample(), sampleEveryMs);
      else this.#watch = this.#watchEdges();
      this.#timer?.unref();
      this.#last = this.get();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Throws GPIO_FAILED. */
  get(): boolean {
    return this.#do('read', () => nativePlatform().gpioGet(this.#fd) === 1);
  }

  /** Of an output. Throws GPIO_FAILED. */
  set(value: boolean): void {
    this.#do('set', () => nativePlatform().gpioSet(this.#fd, value ? 1 : 0));
  }

  /** Gives the line back; idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    this.#watch?.close();
    closeSync(this.#fd);
  }

  #do<T>(what: string, action: () => T): T {
    if (this.#closed) throw failed(`The GPIO ${this.#name} cannot be ${what}`, 'it is closed');
    try {
      return action();
    } catch (cause) {
      throw failed(`The GPIO ${this.#name} cannot be ${what}`, cause);
    }
  }

  #watchEdges(): FileWatch {
    return new FileWatch({
      fd: this.#fd,
      events: { readable: true },
      onReady: () => this.#onEdges(),
      onError: (code) => this.#lost(new Error(code)),
    });
  }

  #onEdges(): void {
    try {
      for (let count = 0; count < maxEdges && !this.#closed; count += 1) {
        const edge = nativePlatform().gpioEdge(this.#fd);
        if (edge === -1) return;
        this.#tell(edge === 1);
      }
      this.#sample();
    } catch (error) {
      this.#lost(error);
    }
  }

  #sample(): void {
    if (this.#closed) return;
    try {
      this.#tell(this.get());
    } catch (error) {
      this.#lost(error);
    }
  }

  #tell(value: boolean): void {
    if (value === this.#last) return;
    this.#last = value;
    this.#events.onChange(value);
  }

  #lost(cause: unknown): void {
    if (this.#closed) return;
    this.close();
    this.#events.onLost(failed(`The GPIO ${this.#name} is gone`, cause));
  }
}

function flagsOf(request: GpioLineRequest): number {
  const { direction, activeLow = false, openDrain = false, bias } = request;
  return (
    (direction === 'in' ? flags.input : flags.output) |
    (activeLow ? flags.activeLow : 0) |
    (openDrain && direction === 'out' ? flags.openDrain : 0) |
    (bias === undefined ? 0 : flags[bias])
  );
}

function take(chip: GpioChip, offset: number, wanted: number, request: GpioLineRequest): number {
  const { initial = false, debounceUs = 0 } = request;
  const platform = nativePlatform();
  try {
    return platform.gpioTake(chip.fd, offset, wanted, initial ? 1 : 0, debounceUs, consumer);
  } catch (cause) {
    const what = `The line ${request.line} of the GPIO chip ${chip.info.name}`;
    if (codeOf(cause) !== 'EBUSY') throw failed(`${what} cannot be taken`, cause);
    const holder = platform.gpioLine(chip.fd, offset).consumer || 'the kernel';
    throw new EarshotError('GPIO_LINE_BUSY', `${what} is in use by ${holder}.`, {
      cause,
      details: { chip: chip.info.name, line: request.line, consumer: holder },
    });
  }
}

/** Undefined where the chip cannot tell of edges. */
function takeWithEdges(
  chip: GpioChip,
  offset: number,
  wanted: number,
  request: GpioLineRequest,
): number | undefined {
  try {
    return take(chip, offset, wanted | flags.edges, request);
  } catch (error) {
    const lacking = isEarshotError(error, 'GPIO_FAILED') && noInterrupts.has(codeOf(error.cause));
    if (lacking) return undefined;
    throw error;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : messageOf(error);
}
