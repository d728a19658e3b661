import { statusSchema } from '../../api/schema.ts';
import { type Command, print } from '../command.ts';
import { adviceText, audioText, childrenText, headline, sessionsText } from '../status-text.ts';

export const statusCommand: Command = {
  words: ['status'],
  arguments: '',
  minArguments: 0,
  maxArguments: 0,
  summary: 'Show the state of the sound, the child processes and the viewers.',
  options: {},
  run: async (invocation) => {
    const { client, io } = invocation;
    const status = await client.get('/api/v1/status', statusSchema);
    print(invocation, status, () =>
      [
        headline(status),
        audioText(status, io),
        `${childrenText(status)}${adviceText(status, io)}`,
        sessionsText(status),
      ].join('\n'),
    );
  },
};
