import { microphoneMetricsSchema, statusSchema } from '../../api/schema.ts';
import { type Command, print } from '../command.ts';
import { microphoneText } from '../microphone-text.ts';
import {
  adviceText,
  audioText,
  childrenText,
  headline,
  httpsText,
  sessionsText,
} from '../status-text.ts';
import { videoText } from '../video-text.ts';

export const statusCommand: Command = {
  words: ['status'],
  arguments: '',
  minArguments: 0,
  maxArguments: 0,
  summary:
    'Show the HTTPS address and certificate, and the state of the sound, the microphone, the picture, the child processes and the viewers.',
  options: {},
  run: async (invocation) => {
    const { client, io } = invocation;
    const status = await client.get('/api/v1/status', statusSchema);
    const metrics = await client.get('/api/v1/microphone/metrics', microphoneMetricsSchema);
    print(invocation, status, () =>
      [
        headline(status),
        httpsText(status),
        audioText(status, io),
        microphoneText(status.microphone, metrics, io),
        ...(status.video === null ? [] : [videoText(status.video, io)]),
        `${childrenText(status)}${adviceText(status, io)}`,
        sessionsText(status),
      ].join('\n'),
    );
  },
};
