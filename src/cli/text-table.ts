import type { CliIo } from './cli-io.ts';
import { coloured } from './cli-io.ts';

/** Words, numbers and tables for people. */

/** Rows under a heading, columns padded to their widest cell; nothing for no rows. */
export function textTable(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const all = [heading, ...rows].map((row) => row.map(printable));
  const widths = heading.map((_, column) =>
    Math.max(...all.map((row) => (row[column] ?? '').length)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return `${all.map(line).join('\n')}\n`;
}

/** Named values, one a line. */
export function textFields(fields: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...fields.map(([name]) => name.length));
  return fields.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join('');
}

/** `1 h 2 min`, `2 min 5 s`, `3.2 s`, `40 ms` */
export function durationText(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (seconds < 60) return `${(ms / 1_000).toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function bytesText(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  if (bytes < 1_024 ** 2) return `${(bytes / 1_024).toFixed(1)} KiB`;
  if (bytes < 1_024 ** 3) return `${(bytes / 1_024 ** 2).toFixed(1)} MiB`;
  return `${(bytes / 1_024 ** 3).toFixed(1)} GiB`;
}

/** `2 xruns`, `1 xrun` */
export function countText(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Escape codes of SGR (ECMA-48 §8.3.117). */
const colours = { red: 31, green: 32, yellow: 33 } as const;

/** `text` in a colour where the terminal may have it. */
export function colour(io: CliIo, name: keyof typeof colours, text: string): string {
  return coloured(io) ? `\u001b[${colours[name]}m${text}\u001b[0m` : text;
}

/** Text from outside must not drive the terminal: control characters are shown as `?`. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '?');
}

/** A time that may be unknown: missing or negative. */
export function millisecondsText(ms: number | undefined): string {
  return ms === undefined || ms < 0 ? '–' : `${ms.toFixed(1)} ms`;
}
