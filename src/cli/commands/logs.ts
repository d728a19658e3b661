import { type Command, usageError } from '../command.ts';
import { logText } from '../log-text.ts';

export const logsCommand: Command = {
  words: ['logs'],
  arguments: '',
  minArguments: 0,
  maxArguments: 0,
  summary: 'Print the last log lines of the main process and its children.',
  options: {
    lines: { short: 'n', value: 'N', summary: 'How many, 1–2000; 100 unless told otherwise.' },
    follow: { short: 'f', summary: 'Go on with each new line until interrupted.' },
  },
  run: async ({ client, io, json, options }) => {
    const count = options['lines'] ?? '100';
    if (typeof count !== 'string' || !/^\d{1,4}$/.test(count) || +count < 1 || +count > 2_000) {
      throw usageError(`--lines ${String(count)}: expected a whole number from 1 to 2000.`);
    }
    const follow = options['follow'] === true ? '1' : '0';
    for await (const line of client.lines(`/api/v1/logs?lines=${Number(count)}&follow=${follow}`)) {
      io.stdout.write(json ? `${line}\n` : logText(line, io));
    }
  },
};
