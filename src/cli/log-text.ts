import * as v from 'valibot';
import { logLevels } from '../log/log.ts';
import type { CliIo } from './cli-io.ts';
import { colour, printable } from './text-table.ts';

const lineSchema = v.looseObject({
  level: v.optional(v.picklist(logLevels), 'info'),
  time: v.optional(v.string(), ''),
  role: v.optional(v.string(), ''),
  msg: v.optional(v.string(), ''),
});

const levelColours = { warn: 'yellow', error: 'red' } as const;

/** A log line for people: `2026-01-02T03:04:05.678Z WARN  main  child exited  child=audio-output`. */
export function logText(line: string, io: CliIo): string {
  const outer = parse(line);
  if (outer === undefined) return `${printable(line)}\n`;
  const parsed = innerLine(outer) ?? outer;
  const { level, time, role, msg, ...fields } = parsed;
  const label = level.toUpperCase().padEnd(5);
  const shown =
    level === 'warn' || level === 'error' ? colour(io, levelColours[level], label) : label;
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${fieldText(value)}`);
  return `${printable(time)} ${shown}  ${[role, msg, ...rest].map(printable).join('  ')}\n`;
}

/** The log line of a child that the main process passed on whole. */
function innerLine({ line }: v.InferOutput<typeof lineSchema>): ReturnType<typeof parse> {
  return typeof line === 'string' && line.startsWith('{') ? parse(line) : undefined;
}

function parse(line: string): v.InferOutput<typeof lineSchema> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const result = v.safeParse(lineSchema, value);
    return result.success && !Array.isArray(value) ? result.output : undefined;
  } catch {
    return undefined;
  }
}

function fieldText(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}
