import {
  hidAnswerSchema,
  hidStatusSchema,
  stoppedSchema,
  wokenSchema,
} from '../../api/hid-schema.ts';
import { type Command, type Invocation, print } from '../command.ts';
import { hidText } from '../hid-text.ts';

const path = '/api/v1/hid';

const takesNothing = { arguments: '', minArguments: 0, maxArguments: 0, options: {} } as const;

async function showStatus(invocation: Invocation): Promise<void> {
  const status = await invocation.client.get(path, hidAnswerSchema);
  print(invocation, status, () => hidText(status, invocation.io));
}

export const keyCommand: Command = {
  words: ['key'],
  arguments: 'COMBINATION',
  minArguments: 1,
  maxArguments: 1,
  summary: 'Press a combination of keys on the host, e.g. ctrl+alt+del, and let it go.',
  options: {},
  run: async (invocation) => {
    const [combination] = invocation.positionals;
    const status = await invocation.client.post(`${path}/key`, { combination }, hidStatusSchema);
    print(invocation, status, () => `pressed ${combination}\n`);
  },
};

const releaseCommand: Command = {
  words: ['hid', 'release'],
  ...takesNothing,
  summary: 'Release every key and button of everybody, and stop what is typed.',
  run: async (invocation) => {
    const status = await invocation.client.post(`${path}/release`, undefined, hidStatusSchema);
    print(invocation, status, () => 'everything is released\n');
  },
};

const wakeCommand: Command = {
  words: ['hid', 'wake'],
  ...takesNothing,
  summary: 'Wake a host that sleeps.',
  run: async (invocation) => {
    const answer = await invocation.client.post(`${path}/wake`, undefined, wokenSchema);
    const words = answer.woken
      ? 'the host was asked to wake\n'
      : 'the host cannot be woken: it does not sleep, or lets no keyboard wake it\n';
    print(invocation, answer, () => words);
  },
};

const stopCommand: Command = {
  words: ['hid', 'stop'],
  ...takesNothing,
  summary: 'Stop the text or macro that is typed, and release its keys.',
  run: async (invocation) => {
    const answer = await invocation.client.post(`${path}/stop`, undefined, stoppedSchema);
    print(invocation, answer, () => (answer.stopped ? 'stopped\n' : 'nothing was typed\n'));
  },
};

const layoutCommand: Command = {
  words: ['hid', 'layout'],
  arguments: 'LAYOUT',
  minArguments: 1,
  maxArguments: 1,
  summary: 'Choose the layout that texts are typed by, as the host is set to; it lasts.',
  options: {},
  run: async (invocation) => {
    const [layout] = invocation.positionals;
    const status = await invocation.client.post(`${path}/layout`, { layout }, hidStatusSchema);
    print(invocation, status, () => `texts are typed by the layout ${status.layout}\n`);
  },
};

export const hidCommands: readonly Command[] = [
  releaseCommand,
  wakeCommand,
  stopCommand,
  layoutCommand,
  // Last, since its word begins all the others.
  {
    words: ['hid'],
    ...takesNothing,
    summary:
      'Show whether the host takes keys, its LEDs, who holds keys, what is typed, and the delay.',
    run: showStatus,
  },
];
