import type * as v from 'valibot';
import { hidTaskAnswerSchema } from '../../api/hid-schema.ts';
import type { Invocation } from '../command.ts';

type TaskAnswer = v.InferOutput<typeof hidTaskAnswerSchema>;

/** Waits for the end of a text or macro that its answer did not wait for. Throws why it failed. */
export async function whenTyped(
  { client, io }: Invocation,
  answer: TaskAnswer,
): Promise<TaskAnswer> {
  let now = answer;
  while (!now.done && io.signal?.aborted !== true) {
    now = await client.get('/api/v1/hid/task', hidTaskAnswerSchema);
  }
  return now;
}
