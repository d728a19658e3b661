import type { HidTaskStatus } from '../../../control/hid/hid-status.ts';
import { taskWords } from '../control-words.ts';

/** How far a text or a macro is, and the way to end it. */
export function TaskProgress({
  task,
  onStop,
}: {
  readonly task: HidTaskStatus | null;
  readonly onStop: () => void;
}) {
  if (task === null) return null;
  const words = taskWords(task);
  return (
    <div class="task">
      <label class="task-words">
        {words}
        <progress max={task.total} value={task.done} />
      </label>
      <button type="button" class="button" onClick={onStop}>
        Stop
      </button>
    </div>
  );
}
