import { consoleProtocol } from '../../control/serial/console-messages.ts';
import { EarshotError } from '../../errors/earshot-error.ts';
import { type Command, usageError } from '../command.ts';
import { defaultEscape, escapeByte } from '../console-escape.ts';
import { ConsoleSession } from '../console-session.ts';

/** Seconds to go on reading after the end of a pipe, when nothing else is asked for. */
const defaultWaitSeconds = 1;

export const consoleCommand: Command = {
  words: ['console'],
  arguments: '',
  minArguments: 0,
  maxArguments: 0,
  summary:
    'Open the host’s serial console on this terminal. Ctrl-] is its key: Ctrl-] . leaves, Ctrl-] b sends a break, Ctrl-] t takes the writer’s place, Ctrl-] ? helps, Ctrl-] twice sends one. Without a terminal, input is sent as it is.',
  options: {
    'read-only': { summary: 'Only show what the host says.' },
    takeover: { summary: 'Take the place of the console that writes, which is told.' },
    detach: { value: 'KEY', summary: 'Another key instead of ^], e.g. ^A.' },
    wait: {
      value: 'S',
      summary: `Input from a pipe: seconds to go on reading after its end (${defaultWaitSeconds}).`,
    },
  },
  run: async ({ client, io, options }) => {
    const { detach = defaultEscape, wait = String(defaultWaitSeconds) } = options;
    const readOnly = options['read-only'] === true;
    const takeover = options['takeover'] === true;
    if (readOnly && takeover)
      throw usageError('--takeover is for writing, and --read-only is not.');
    const name = String(detach);
    const byte = escapeByte(name);
    const waitMs = 1_000 * Number(wait);
    if (!(waitMs >= 0 && waitMs <= 3_600_000)) {
      throw usageError(`--wait takes seconds from 0 to 3600, and not "${wait}".`);
    }
    const terminal = io.terminal?.();
    if (terminal === undefined) throw new EarshotError('INTERNAL', 'There is no standard input.');
    const socket = await client.openSocket('/api/v1/serial/console', consoleProtocol);
    await new ConsoleSession({
      socket,
      terminal,
      tell: (text) => io.stderr.write(text),
      readOnly,
      takeover,
      escapeKey: { byte, name },
      waitMs,
      signal: io.signal,
    }).run();
  },
};
