import { readFile } from 'node:fs/promises';
import type * as v from 'valibot';
import { hidStatusSchema, hidTaskAnswerSchema, macrosSchema } from '../../api/hid-schema.ts';
import { maxJigglerSeconds, minJigglerSeconds } from '../../control/hid/limits.ts';
import { messageOf } from '../../errors/earshot-error.ts';
import { type Command, type Invocation, print, usageError } from '../command.ts';
import { countText, textTable } from '../text-table.ts';
import { whenTyped } from './hid-typed.ts';

const path = '/api/v1/hid';

type Macros = v.InferOutput<typeof macrosSchema>['macros'];

const takesNothing = { arguments: '', minArguments: 0, maxArguments: 0, options: {} } as const;
const takesName = { arguments: 'NAME', minArguments: 1, maxArguments: 1, options: {} } as const;

const pathOf = (name: string): string => `${path}/macros/${encodeURIComponent(name)}`;

async function list(invocation: Invocation): Promise<void> {
  const { macros } = await invocation.client.get(`${path}/macros`, macrosSchema);
  print(invocation, { macros }, () => macrosText(macros));
}

function macrosText(macros: Macros): string {
  if (macros.length === 0) return 'There are no macros; earshot macro save NAME FILE keeps one.\n';
  return textTable(
    ['MACRO', 'STEPS'],
    macros.map(({ name, steps }) => [name, steps.map((step) => JSON.stringify(step)).join(' ')]),
  );
}

const listCommand: Command = {
  words: ['macro', 'list'],
  ...takesNothing,
  summary: 'List the macros and their steps.',
  run: list,
};

const runCommand: Command = {
  words: ['macro', 'run'],
  ...takesName,
  summary: 'Run a macro, and wait until it is done.',
  run: async (invocation) => {
    const [name = ''] = invocation.positionals;
    const answer = await invocation.client.post(
      `${pathOf(name)}/run`,
      undefined,
      hidTaskAnswerSchema,
    );
    const end = await whenTyped(invocation, answer);
    print(invocation, end, () => `${name} is done\n`);
  },
};

const saveCommand: Command = {
  words: ['macro', 'save'],
  arguments: 'NAME FILE',
  minArguments: 2,
  maxArguments: 2,
  summary:
    'Keep a macro, its steps as a list of JSON from a file, e.g. [{"press": "super+l"}, {"waitMs": 500}].',
  options: {},
  run: async (invocation) => {
    const [name = '', file = ''] = invocation.positionals;
    const steps = await readSteps(file);
    const answer = await invocation.client.post(`${path}/macros`, { name, steps }, macrosSchema);
    const saved = answer.macros.find((macro) => macro.name === name);
    print(invocation, answer, () => `${name} has ${countText(saved?.steps.length ?? 0, 'step')}\n`);
  },
};

async function readSteps(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw usageError(`${file} cannot be read as JSON: ${messageOf(error)}.`);
  }
}

const removeCommand: Command = {
  words: ['macro', 'remove'],
  ...takesName,
  summary: 'Forget a macro.',
  run: async (invocation) => {
    const [name = ''] = invocation.positionals;
    const answer = await invocation.client.remove(pathOf(name), macrosSchema);
    print(invocation, answer, () => `${name} is gone\n`);
  },
};

export const macroCommands: readonly Command[] = [
  listCommand,
  runCommand,
  saveCommand,
  removeCommand,
  // Last, since its word begins all the others.
  { words: ['macro'], ...takesNothing, summary: 'The same as macro list.', run: list },
];

function jigglerCommand(words: Command['words'], summary: string): Command {
  const takesSeconds = words.includes('on');
  return {
    words,
    arguments: takesSeconds ? '[SECONDS]' : '',
    minArguments: 0,
    maxArguments: Number(takesSeconds),
    summary,
    options: {},
    run: async (invocation) => {
      const [given] = invocation.positionals;
      const seconds = given === undefined ? undefined : secondsOf(given);
      const body = { enabled: takesSeconds, ...(seconds !== undefined && { seconds }) };
      const { jiggler } = await invocation.client.post(`${path}/jiggler`, body, hidStatusSchema);
      const words = jiggler.enabled
        ? `the pointer is moved after ${jiggler.seconds} s without input\n`
        : 'the jiggler is off\n';
      print(invocation, jiggler, () => words);
    },
  };
}

function secondsOf(value: string): number {
  const seconds = /^\d{1,4}$/.test(value) ? Number(value) : 0;
  if (seconds >= minJigglerSeconds && seconds <= maxJigglerSeconds) return seconds;
  throw usageError(
    `jiggler on ${value}: expected a whole number from ${minJigglerSeconds} to ${maxJigglerSeconds}.`,
  );
}

export const jigglerCommands: readonly Command[] = [
  jigglerCommand(
    ['jiggler', 'on'],
    `Move the pointer after so many seconds without input, ${minJigglerSeconds}–${maxJigglerSeconds}, so that the host stays awake; it lasts.`,
  ),
  jigglerCommand(['jiggler', 'off'], 'Move the pointer no more of itself.'),
];
