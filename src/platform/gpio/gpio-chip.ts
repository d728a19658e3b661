import { closeSync, constants, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { EarshotError, messageOf } from '../../errors/earshot-error.ts';
import { type GpioChipInfo, nativePlatform } from '../native/native-platform.ts';

/** Where the chips are. */
export const gpioDirectory = '/dev';

/** An open GPIO chip, to be closed by whoever opened it; lines taken from it stay. */
export interface GpioChip {
  readonly fd: number;
  readonly info: GpioChipInfo;
}

/**
 * Opens a chip by its path, its name (`gpiochip0`) or its driver's label, which stays the same when chips are
 * numbered anew. Throws GPIO_CHIP_UNKNOWN naming those there are, or GPIO_FAILED.
 */
export function openChip(wanted: string, directory: string = gpioDirectory): GpioChip {
  if (wanted.startsWith('/')) return chipAt(wanted, wanted);
  const names = chipNames(directory);
  if (names.includes(wanted)) return chipAt(join(directory, wanted), wanted);
  const found: string[] = [];
  for (const name of names) {
    const chip = chipAt(join(directory, name), wanted);
    if (chip.info.label === wanted) return chip;
    found.push(`${name} (${chip.info.label})`);
    closeSync(chip.fd);
  }
  throw unknownChip(wanted, found);
}

/** The number of a line, by its name in the device tree or as it is. Throws GPIO_LINE_UNKNOWN. */
export function lineOffset({ fd, info }: GpioChip, line: string | number): number {
  if (typeof line === 'number') {
    if (line < info.lines) return line;
    throw unknownLine(info, line, `it has the lines 0 to ${info.lines - 1}`);
  }
  const names: string[] = [];
  for (let offset = 0; offset < info.lines; offset += 1) {
    const { name } = nativePlatform().gpioLine(fd, offset);
    if (name === line) return offset;
    if (name !== '') names.push(name);
  }
  const named = names.length === 0 ? 'none has a name' : `there are ${names.join(', ')}`;
  throw unknownLine(info, line, named);
}

function chipNames(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
      .filter((name) => /^gpiochip\d+$/.test(name))
      .sort();
  } catch {
    return [];
  }
}

function chipAt(path: string, wanted: string): GpioChip {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDWR);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') {
      throw unknownChip(wanted, chipNames(gpioDirectory));
    }
    throw failed(`The GPIO chip ${path} cannot be opened`, cause);
  }
  try {
    return { fd, info: nativePlatform().gpioChip(fd) };
  } catch (cause) {
    closeSync(fd);
    throw failed(`${path} is no GPIO chip`, cause);
  }
}

/** GPIO_FAILED with the system's reason. */
export function failed(what: string, cause: unknown): EarshotError {
  return new EarshotError('GPIO_FAILED', `${what}: ${messageOf(cause)}.`, { cause });
}

function unknownChip(wanted: string, found: readonly string[]): EarshotError {
  const there = found.length === 0 ? 'there are none' : `there are ${found.join(', ')}`;
  return new EarshotError('GPIO_CHIP_UNKNOWN', `There is no GPIO chip ${wanted}: ${there}.`, {
    details: { chip: wanted, found },
  });
}

function unknownLine(info: GpioChipInfo, line: string | number, found: string): EarshotError {
  return new EarshotError(
    'GPIO_LINE_UNKNOWN',
    `The GPIO chip ${info.name} (${info.label}) has no line ${line}: ${found}.`,
    { details: { chip: info.name, line } },
  );
}
