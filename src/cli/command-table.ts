import type { Command } from './command.ts';
import { deviceCommand, devicesCommand, muteCommand, qualityCommand } from './commands/audio.ts';
import { consoleCommand } from './commands/console.ts';
import { hidCommands, keyCommand } from './commands/hid.ts';
import { jigglerCommands, macroCommands } from './commands/hid-macros.ts';
import { typeCommand } from './commands/hid-type.ts';
import { logsCommand } from './commands/logs.ts';
import { microphoneCommands } from './commands/microphone.ts';
import { powerCommands } from './commands/power.ts';
import { restartCommand } from './commands/restart.ts';
import { statsCommand } from './commands/stats.ts';
import { statusCommand } from './commands/status.ts';
import { traceCommand } from './commands/trace.ts';
import { versionCommand } from './commands/version.ts';

/** Every command but `help`, in the order it lists them. */
export const commandTable: readonly Command[] = [
  statusCommand,
  statsCommand,
  qualityCommand,
  muteCommand,
  devicesCommand,
  deviceCommand,
  ...microphoneCommands,
  typeCommand,
  keyCommand,
  ...hidCommands,
  ...macroCommands,
  ...jigglerCommands,
  consoleCommand,
  ...powerCommands,
  restartCommand,
  logsCommand,
  traceCommand,
  versionCommand,
];

/** What people look for and is no command: why, and what to do instead. */
export const noCommands: ReadonlyMap<string, string> = new Map([
  [
    'mic start',
    'The command cannot turn the microphone on, since a voice comes from a browser: open the page and press its microphone button.',
  ],
]);

/** What a process of Earshot ends with (sysexits.h where it has one). */
export const exitCodes = [
  [0, 'Done.'],
  [1, 'It failed; standard error says why.'],
  [2, 'The command line is not understood, or names something that does not exist.'],
  [69, 'Earshot is not running, or cannot do it at the moment.'],
  [78, 'The configuration is wrong, or a library the device needs is missing.'],
] as const;
