import { EarshotError } from '../../errors/earshot-error.ts';
import type { SegmentTimers } from './segment-timers.ts';

export interface DeadlineOptions {
  readonly timers: SegmentTimers;
  readonly ms: number;
  /** What did not happen, for the error: "The fence did not pass". */
  readonly what: string;
  /** Ends the wait with its reason. */
  readonly signal?: AbortSignal;
}

/**
 * What `promise` says, or MEDIA_SEGMENT_TIMEOUT after `ms`, or the signal's reason; whichever comes first. What
 * the promise says later is dropped, a rejection too.
 */
export function withinDeadline<T>(promise: Promise<T>, options: DeadlineOptions): Promise<T> {
  const { timers, ms, what, signal } = options;
  return new Promise((resolve, reject) => {
    const cancel = timers.after(ms, () =>
      end(() =>
        reject(
          new EarshotError('MEDIA_SEGMENT_TIMEOUT', `${what} within ${ms} ms.`, {
            details: { deadlineMs: ms },
          }),
        ),
      ),
    );
    const aborted = (): void => end(() => reject(signal?.reason));
    function end(settle: () => void): void {
      cancel();
      signal?.removeEventListener('abort', aborted);
      settle();
    }
    promise.then(
      (value) => end(() => resolve(value)),
      (error: unknown) => end(() => reject(error)),
    );
    if (signal?.aborted) aborted();
    else signal?.addEventListener('abort', aborted);
  });
}
