import { EventEmitter } from 'node:events';
import { closeSync } from 'node:fs';
import type { EarshotError } from '../../errors/earshot-error.ts';
import { openChip } from './gpio-chip.ts';
import { GpioLine, type GpioLineRequest } from './gpio-line.ts';

/** A line with the name that its user knows it by. */
export interface NamedGpioLine<N extends string> extends GpioLineRequest {
  readonly name: N;
}

export interface OpenLinesOptions<N extends string> {
  /** Path, name (`gpiochip0`) or driver's label of the chip. */
  readonly chip: string;
  readonly lines: readonly NamedGpioLine<N>[];
  /** Where chips are; /dev by default. */
  readonly directory?: string;
}

interface GpioLinesEvents<N extends string> {
  /** An input changed. */
  change: [name: N, value: boolean];
  /** An input is gone: its chip was taken away. */
  lost: [name: N, error: EarshotError];
}

/** GPIO lines that are held until they are closed. Values are logical: true is active. */
export class GpioLines<N extends string> extends EventEmitter<GpioLinesEvents<N>> {
  readonly #lines: ReadonlyMap<N, GpioLine>;

  /** {@link openLines} makes one. */
  constructor(options: OpenLinesOptions<N>) {
    super();
    const chip = openChip(options.chip, options.directory);
    const lines = new Map<N, GpioLine>();
    this.#lines = lines;
    try {
      for (const request of options.lines) {
        const { name } = request;
        const line = new GpioLine(chip, request, {
          // The names are of this class's own type; EventEmitter cannot tell that they fit.
          onChange: (value) => EventEmitter.prototype.emit.call(this, 'change', name, value),
          onLost: (error) => EventEmitter.prototype.emit.call(this, 'lost', name, error),
        });
        lines.set(name, line);
      }
    } catch (error) {
      this.close();
      throw error;
    } finally {
      closeSync(chip.fd);
    }
  }

  /** Sets an output. Throws GPIO_FAILED. */
  set(name: N, value: boolean): void {
    this.#line(name).set(value);
  }

  /** Reads a line. Throws GPIO_FAILED. */
  get(name: N): boolean {
    return this.#line(name).get();
  }

  /** Gives all lines back; idempotent. */
  close(): void {
    for (const line of this.#lines.values()) line.close();
  }

  #line(name: N): GpioLine {
    const line = this.#lines.get(name);
    if (line === undefined) throw new RangeError(`no line was opened as ${name}`);
    return line;
  }
}

/** Takes all of `lines`, or none: throws GPIO_CHIP_UNKNOWN, GPIO_LINE_UNKNOWN, GPIO_LINE_BUSY or GPIO_FAILED. */
export function openLines<N extends string>(options: OpenLinesOptions<N>): GpioLines<N> {
  return new GpioLines(options);
}
