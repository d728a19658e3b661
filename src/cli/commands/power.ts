import { powerStatusSchema, pressAnswerSchema, wakeAnswerSchema } from '../../api/schema.ts';
import { type Command, type Invocation, print } from '../command.ts';
import { powerText, pressText } from '../power-text.ts';

const path = '/api/v1/power';

/** A press of 15 s that may take 30 s to show; longer than the server's own deadline for it. */
const pressAnswerMs = 65_000;

const takesNothing = { arguments: '', minArguments: 0, maxArguments: 0, options: {} } as const;

async function showStatus(invocation: Invocation): Promise<void> {
  const status = await invocation.client.get(path, powerStatusSchema);
  print(invocation, status, () => powerText(status, invocation.io));
}

function pressCommand(word: 'press' | 'hold' | 'reset', summary: string): Command {
  return {
    words: ['power', word],
    ...takesNothing,
    summary,
    run: async (invocation) => {
      const answer = await invocation.client.post(
        `${path}/${word}`,
        undefined,
        pressAnswerSchema,
        pressAnswerMs,
      );
      print(invocation, answer, () => pressText(answer));
    },
  };
}

const wakeCommand: Command = {
  words: ['power', 'wake'],
  arguments: '[NAME|MAC]',
  minArguments: 0,
  maxArguments: 1,
  summary:
    'Wake a machine over the network (Wake-on-LAN), by its name in power.wakeOnLan or by its MAC address.',
  options: {},
  run: async (invocation) => {
    const [which] = invocation.positionals;
    const isMac = /^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(which ?? '');
    const body = which === undefined ? {} : isMac ? { mac: which } : { name: which };
    const answer = await invocation.client.post(`${path}/wake`, body, wakeAnswerSchema);
    print(invocation, answer, () => {
      const name = answer.name === '' ? answer.mac : `${answer.name} (${answer.mac})`;
      return `sent to ${name}\n`;
    });
  },
};

/** The host's power. */
export const powerCommands: readonly Command[] = [
  pressCommand('press', 'Press the host’s power button, and wait for its power LED to change.'),
  pressCommand('hold', 'Hold the host’s power button until it is forced off.'),
  pressCommand('reset', 'Press the host’s reset button.'),
  wakeCommand,
  // Last, since its word begins all the others.
  {
    words: ['power'],
    ...takesNothing,
    summary: 'Show the board that holds the host’s buttons, its power LED and its last press.',
    run: showStatus,
  },
];
