import * as v from 'valibot';
import { get, noQuery, type Route, stream } from '../route.ts';
import { statusSchema } from '../schema.ts';

/** Lines of the log that are kept, and so the most that can be asked for. */
export const maxLogLines = 2_000;

const logQuerySchema = v.strictObject({
  lines: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^([1-9]\d{0,2}|1\d{3}|2000)$/, `is a whole number from 1 to ${maxLogLines}`),
    ),
    '100',
  ),
  follow: v.optional(v.picklist(['0', '1']), '0'),
});

const traceQuerySchema = v.strictObject({
  seconds: v.optional(
    v.pipe(v.string(), v.regex(/^([1-9]|[1-5]\d|60)$/, 'is a whole number from 1 to 60')),
    '5',
  ),
});

/** What the device says of itself. */
export const statusRoutes: readonly Route[] = [
  get(
    '/api/v1/status',
    {
      summary: 'The state of the sound, the microphone, the child processes and the viewers.',
      answer:
        '`version`, `uptimeMs`, `localOnly`, `https` (`url`, `port`, `fingerprint256`, `expiresUnixMs`, `own`; null until the certificate is ready), `audio`, `microphone`, `children`, `sessions`',
      answers: statusSchema,
    },
    (context) => context.status(),
  ),
  stream(
    '/api/v1/events',
    {
      access: 'anyone',
      summary:
        'Server-Sent Events: first the state as it is, then every change. A reader that falls 256 KiB behind is dropped.',
      answer: '`text/event-stream`, see below',
      answerType: 'text/event-stream',
      errors: ['API_TOO_MANY_STREAMS'],
      query: noQuery,
    },
    ({ eventStreams }, _query, { outgoing }) => eventStreams.open(outgoing),
  ),
  stream(
    '/api/v1/logs',
    {
      access: 'control',
      summary: 'The last log lines, and with `follow=1` those to come.',
      answer: '`application/x-ndjson`, one log line a line; empty lines keep it alive',
      answerType: 'application/x-ndjson',
      errors: ['API_TOO_MANY_STREAMS'],
      query: logQuerySchema,
    },
    ({ logStreams }, { lines, follow }, { outgoing }) =>
      logStreams.open(outgoing, { lines: Number(lines), follow: follow === '1' }),
  ),
  stream(
    '/api/v1/trace',
    {
      access: 'control',
      summary:
        'Follows packets of the host’s sound for `seconds` (1–60), from the capture to the write to each viewer.',
      answer:
        '`application/x-ndjson`, a packet a line: `capturedUs`, and in ms since then `completeMs`, `encodedMs`, `sentMs`, `receivedMs`, `written` (`session`, `ms`); empty lines keep it alive',
      answerType: 'application/x-ndjson',
      errors: ['API_TOO_MANY_STREAMS'],
      query: traceQuerySchema,
    },
    ({ traceStreams }, { seconds }, { outgoing }) =>
      traceStreams.open(outgoing, { seconds: Number(seconds) }),
  ),
];
