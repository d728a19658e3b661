import * as v from 'valibot';
import { get, type Route } from '../route.ts';
import { syncStatusSchema, videoStatusSchema } from '../schema.ts';

const videoAnswerSchema = v.nullable(videoStatusSchema);

/** The host's picture. */
export const videoRoutes: readonly Route[] = [
  get(
    '/api/v1/video',
    {
      summary:
        'The host’s picture: whether there is a signal, its size and rate, and what encoding costs; null on a device without one.',
      answer:
        'null, or `device`, `signal`, `reason`, `codec`, `width`, `height`, `framesPerSecond`, `bitrateKbps`, `measuredKbps` and counts',
      answers: videoAnswerSchema,
    },
    ({ services }) => services.video.status(),
  ),
  get(
    '/api/v1/sync',
    {
      summary:
        'How sound and picture are kept together: what the sound is held back by, and what viewers measured in their sync checks.',
      answer:
        '`audioDelayMs`, `targetMs`, `calibrating`, `displaced`, `segments` (counts), `viewers` (`session`, `results`: `marker`, `offsetMs`, `lane`, `unixMs`)',
      answers: syncStatusSchema,
    },
    ({ services }) => services.sync.status(),
  ),
];
