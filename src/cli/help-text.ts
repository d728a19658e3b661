import { type Command, type CommandOption, commonOptions, usageLine } from './command.ts';
import { commandTable, exitCodes } from './command-table.ts';
import { textFields } from './text-table.ts';

/** `earshot help` */
export function overviewText(): string {
  const commands = commandTable.map(
    ({ words, arguments: args, summary }) =>
      [`  ${[...words, args].join(' ').trim()}`, summary] as const,
  );
  return [
    'The sound of the controlled computer, and of the microphone: state, quality, devices, logs.\n',
    '  earshot COMMAND [OPTION …]      talk to the Earshot that runs\n  earshot [--config FILE]         be the Earshot that runs\n',
    textFields(commands),
    `Every command takes:\n${optionsText(commonOptions)}`,
    `Exit codes:\n${textFields(exitCodes.map(([code, text]) => [`  ${code}`, text] as const))}`,
    'earshot help COMMAND explains one.\n',
  ].join('\n');
}

/** `earshot help COMMAND` */
export function commandText(command: Command): string {
  return [
    `${command.summary}\n`,
    `  ${usageLine(command)}\n`,
    optionsText({ ...command.options, ...commonOptions }),
  ].join('\n');
}

function optionsText(options: Readonly<Record<string, CommandOption>>): string {
  return textFields(
    Object.entries(options).map(([name, { short, value, summary }]) => {
      const flags = short === undefined ? `--${name}` : `-${short}, --${name}`;
      return [`  ${value === undefined ? flags : `${flags} ${value}`}`, summary] as const;
    }),
  );
}
