import * as v from 'valibot';
import { tracedPacketSchema } from '../../api/schema.ts';
import { type Command, usageError } from '../command.ts';
import { traceText } from '../trace-text.ts';

export const traceCommand: Command = {
  words: ['trace'],
  arguments: '',
  minArguments: 0,
  maxArguments: 0,
  summary:
    'Follow packets of the host’s sound from the capture to the write, and draw where the milliseconds go.',
  options: {
    seconds: { short: 's', value: 'N', summary: 'For how long, 1–60; 5 unless told otherwise.' },
  },
  run: async ({ client, io, json, options }) => {
    const seconds = options['seconds'] ?? '5';
    if (
      typeof seconds !== 'string' ||
      !/^\d{1,2}$/.test(seconds) ||
      +seconds < 1 ||
      +seconds > 60
    ) {
      throw usageError(`--seconds ${String(seconds)}: expected a whole number from 1 to 60.`);
    }
    const packets: v.InferOutput<typeof tracedPacketSchema>[] = [];
    for await (const line of client.lines(`/api/v1/trace?seconds=${Number(seconds)}`)) {
      if (json) io.stdout.write(`${line}\n`);
      else packets.push(v.parse(tracedPacketSchema, JSON.parse(line)));
    }
    if (!json) io.stdout.write(traceText(packets));
  },
};
