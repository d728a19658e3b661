import { version } from '../../version.ts';
import { type Command, print } from '../command.ts';

export const versionCommand: Command = {
  words: ['version'],
  arguments: '',
  minArguments: 0,
  maxArguments: 0,
  summary: 'Print the release of this command.',
  options: {},
  run: async (invocation) => {
    print(invocation, { version, node: process.version }, () => `earshot ${version}\n`);
  },
};
