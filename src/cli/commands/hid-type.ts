import { hidTaskAnswerSchema } from '../../api/hid-schema.ts';
import { layoutNames } from '../../control/hid/layouts/layout-names.ts';
import { maxCharactersPerSecond, maxTextCharacters } from '../../control/hid/limits.ts';
import type { CliIo } from '../cli-io.ts';
import { type Command, print, usageError } from '../command.ts';
import { countText } from '../text-table.ts';
import { whenTyped } from './hid-typed.ts';

/** More is piped in than any text has, in bytes. */
const maxPipedBytes = 4 * maxTextCharacters;

export const typeCommand: Command = {
  words: ['type'],
  arguments: 'TEXT',
  minArguments: 1,
  maxArguments: 1,
  summary:
    'Type a text on the host as keystrokes, and wait until it is typed; - reads it from standard input.',
  options: {
    layout: { value: 'LAYOUT', summary: `Of the host: ${layoutNames.join(', ')}.` },
    rate: { value: 'N', summary: `Characters a second, 1–${maxCharactersPerSecond}.` },
  },
  run: async (invocation) => {
    const { client, io, options, positionals } = invocation;
    const [given = ''] = positionals;
    const charactersPerSecond = rateOf(options['rate']);
    const text = given === '-' ? await piped(io) : given;
    if (text === '') throw usageError('There is nothing to type: the text is empty.');
    const { layout } = options;
    const answer = await client.post(
      '/api/v1/hid/text',
      {
        text,
        ...(layout !== undefined && { layout }),
        ...(charactersPerSecond !== undefined && { charactersPerSecond }),
      },
      hidTaskAnswerSchema,
    );
    const end = await whenTyped(invocation, answer);
    print(invocation, end, () => `typed ${countText([...text].length, 'character')}\n`);
  },
};

function rateOf(value: string | boolean | undefined): number | undefined {
  if (value === undefined) return undefined;
  const rate = typeof value === 'string' && /^\d{1,3}$/.test(value) ? Number(value) : 0;
  if (rate >= 1 && rate <= maxCharactersPerSecond) return rate;
  throw usageError(
    `--rate ${String(value)}: expected a whole number from 1 to ${maxCharactersPerSecond}.`,
  );
}

/** Standard input to its end, without the line end that an echo puts there. */
async function piped({ stdin }: CliIo): Promise<string> {
  if (stdin === undefined) throw usageError('There is no standard input to read the text from.');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    const part = Buffer.from(chunk);
    bytes += part.length;
    if (bytes > maxPipedBytes) {
      throw usageError(
        `The text is too long; ${maxTextCharacters} characters can be typed at once.`,
      );
    }
    chunks.push(part);
  }
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}
