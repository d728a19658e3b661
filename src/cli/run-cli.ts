import { parseArgs } from 'node:util';
import { nearest } from '../errors/nearest.ts';
import { asCliError, errorText } from './cli-error.ts';
import type { CliIo } from './cli-io.ts';
import { type Command, commonOptions, usageError } from './command.ts';
import { commandTable, noCommands } from './command-table.ts';
import { ControlClient, defaultSocket } from './control-client.ts';
import { commandText, overviewText } from './help-text.ts';

/**
 * Runs one command line (without `node` and the script) and resolves with the exit code. Results go
 * to `io.stdout`, everything about failures to `io.stderr`.
 */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  try {
    await run(argv, io);
    return 0;
  } catch (thrown) {
    const error = asCliError(thrown);
    io.stderr.write(errorText(error, argv.includes('--json')));
    return error.exitCode;
  }
}

async function run(argv: readonly string[], io: CliIo): Promise<void> {
  const [first, ...rest] = argv;
  if (first === undefined || first === '--help' || first === '-h') {
    io.stdout.write(overviewText());
  } else if (first === 'help') {
    io.stdout.write(rest.length === 0 ? overviewText() : commandText(findCommand(rest).command));
  } else {
    const alias = first === '--version' || first === '-V' ? ['version', ...rest] : argv;
    const { command, rest: args } = findCommand(alias);
    await runCommandLine(command, args, io);
  }
}

/** The command whose words the line begins with, and what follows them. Throws CLI_USAGE. */
function findCommand(argv: readonly string[]): { command: Command; rest: readonly string[] } {
  const family = commandTable.filter(({ words }) => words.length > 1 && words[0] === argv[0]);
  const command = commandTable.find(({ words }) => words.every((word, i) => word === argv[i]));
  // A word after the bare name of a family is one of its commands, misspelt.
  const misspelt = command?.words.length === 1 && family.length > 0 && /^[^-]/.test(argv[1] ?? '');
  if (command !== undefined && !misspelt) {
    return { command, rest: argv.slice(command.words.length) };
  }
  const given = argv.filter((word) => !word.startsWith('-')).slice(0, family.length > 0 ? 2 : 1);
  const names = (family.length > 0 ? family : commandTable).map(({ words }) => words.join(' '));
  if (given.length === 1 && family.length > 0) {
    throw usageError(`${given[0]} needs another word: ${names.join(', ')}.`);
  }
  const typed = given.length === 0 ? (argv[0] ?? '') : given.join(' ');
  const instead = noCommands.get(typed);
  if (instead !== undefined) throw usageError(instead);
  const guess = nearest(typed, names);
  throw usageError(
    `There is no command "${typed}"${guess === undefined ? `; there are: ${names.join(', ')}.` : `; did you mean ${guess}?`}`,
  );
}

async function runCommandLine(command: Command, args: readonly string[], io: CliIo): Promise<void> {
  const { values, positionals } = parse(command, args);
  if (values['help'] === true) {
    io.stdout.write(commandText(command));
    return;
  }
  if (positionals.length < command.minArguments) {
    throw usageError(`${command.words.join(' ')} needs ${command.arguments}.`);
  }
  if (positionals.length > command.maxArguments) {
    const extra = positionals[command.maxArguments];
    throw usageError(`${command.words.join(' ')} does not take "${extra}".`);
  }
  const socket = values['socket'] ?? io.env['EARSHOT_SOCKET'];
  await command.run({
    positionals,
    options: values,
    json: values['json'] === true,
    client: new ControlClient({
      socket: typeof socket === 'string' && socket !== '' ? socket : defaultSocket,
      signal: io.signal,
    }),
    io,
  });
}

function parse(command: Command, args: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries({ ...command.options, ...commonOptions }).map(([name, option]) => [
      name,
      {
        type: 'value' in option ? ('string' as const) : ('boolean' as const),
        ...('short' in option && { short: option.short }),
      },
    ]),
  );
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    // The messages of node:util name the option and say what is wrong with it.
    throw usageError(error instanceof Error ? error.message : String(error));
  }
}
