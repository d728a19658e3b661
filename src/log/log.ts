import { type DestinationStream, pino } from 'pino';

/** The levels a log line can have, least urgent first. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

type Write = (fields: Readonly<Record<string, unknown>>, text: string) => void;

/** A structured log. The text is static; what varies goes into the fields. */
export interface Log {
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
  /** The same log with `fields` on every line. */
  child(fields: Readonly<Record<string, unknown>>): Log;
}

export interface LogOptions {
  readonly level: LogLevel;
  /** The part that writes, e.g. `main` or `audio-output`. */
  readonly role: string;
  /** Where lines go; standard error by default (standard output belongs to commands). */
  readonly destination?: DestinationStream;
}

/** Fields whose values never reach a log: credentials and keys, one level down too. */
const secretFields = ['password', 'token', 'credential', 'secret', 'cookie', 'authorization'];

/** Opens a log that writes one JSON object a line. */
export function createLog({ level, role, destination }: LogOptions): Log {
  return pino(
    {
      level,
      base: { role },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretFields.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' },
    },
    destination ?? pino.destination({ dest: 2, sync: true }),
  );
}

/** A log that writes nothing, for tests and tools. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
};
