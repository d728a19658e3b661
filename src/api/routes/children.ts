import { act, type Route } from '../route.ts';
import { childStatusSchema } from '../schema.ts';

/** The child processes. */
export const childRoutes: readonly Route[] = [
  act(
    '/api/v1/children/:name/restart',
    {
      summary: 'Stops a child process and starts it again, out of `failed` too.',
      answer: 'the child as in `/api/v1/status`',
      answers: childStatusSchema,
      parameters: { name: { summary: 'Name of a child process.', example: 'audio-output' } },
      errors: ['CHILD_UNKNOWN', 'CHILD_NOT_RUNNING', 'CHILD_BUSY'],
    },
    ({ services }, { name = '' }) => services.children.restart(name),
  ),
];
