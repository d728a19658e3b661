import { EarshotError } from '../errors/earshot-error.ts';
import type { CliIo } from './cli-io.ts';
import type { ControlClient } from './control-client.ts';

/** One option of a command as data. */
export interface CommandOption {
  /** What stands for its value in the usage line; an option without one is a switch. */
  readonly value?: string;
  readonly short?: string;
  readonly summary: string;
}

/** One command as data: the parser, `--help`, the documentation and the tests walk these. */
export interface Command {
  /** The words that name it, e.g. `audio quality`. */
  readonly words: readonly string[];
  /** Its positional arguments as shown, e.g. `[PRESET]`. */
  readonly arguments: string;
  readonly minArguments: number;
  readonly maxArguments: number;
  readonly summary: string;
  readonly options: Readonly<Record<string, CommandOption>>;
  readonly run: (invocation: Invocation) => Promise<void>;
}

/** A parsed command line and what it runs with. */
export interface Invocation {
  readonly positionals: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  readonly json: boolean;
  readonly client: ControlClient;
  readonly io: CliIo;
}

/** Options every command takes. */
export const commonOptions = {
  json: { summary: 'Print JSON instead of a table.' },
  socket: { value: 'PATH', summary: 'Control socket (or EARSHOT_SOCKET).' },
  help: { short: 'h', summary: 'Explain the command.' },
} as const satisfies Record<string, CommandOption>;

/** `earshot logs [--lines N] [--follow]`; options that are many are not spelt out. */
export function usageLine(command: Command): string {
  const options = Object.entries(command.options).map(([name, { value }]) =>
    value === undefined ? `[--${name}]` : `[--${name} ${value}]`,
  );
  const shown = options.length > 3 ? ['[OPTION …]'] : options;
  return ['earshot', ...command.words, command.arguments, ...shown]
    .filter((part) => part !== '')
    .join(' ');
}

/** An error of the command line, exit code 2. */
export function usageError(message: string): EarshotError {
  return new EarshotError('CLI_USAGE', message);
}

/** Prints `value` as JSON, or `text` for people. */
export function print({ io, json }: Invocation, value: unknown, text: () => string): void {
  io.stdout.write(json ? `${JSON.stringify(value, null, 2)}\n` : text());
}
