import { childStatusSchema } from '../../api/schema.ts';
import { type Command, print } from '../command.ts';

export const restartCommand: Command = {
  words: ['restart'],
  arguments: 'CHILD',
  minArguments: 1,
  maxArguments: 1,
  summary: 'Stop a child process (e.g. audio-output) and start it again, out of failed too.',
  options: {},
  run: async (invocation) => {
    const [name = ''] = invocation.positionals;
    const path = `/api/v1/children/${encodeURIComponent(name)}/restart`;
    const child = await invocation.client.post(path, undefined, childStatusSchema);
    print(invocation, child, () => `${child.name} is ${child.state}\n`);
  },
};
