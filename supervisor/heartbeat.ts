import { setTimeout as sleep } from 'node:timers/promises';
import { isEarshotError } from '../src/errors/earshot-error.ts';
import type { Channel } from '../src/ipc/channel.ts';

export interface HeartbeatOptions {
  readonly intervalMs: number;
  /** Beats missed in a row that mean the peer hangs. */
  readonly misses: number;
  /** Ends the heartbeat. */
  readonly signal: AbortSignal;
}

/**
 * Pings the peer until it has missed too many beats in a row. Resolves to true then, and to false
 * when the signal or the close of the channel ended it. The next ping is sent only when the last one
 * is over, so a main process that was itself held up counts one miss, not many.
 */
export async function watchHeartbeat(
  channel: Channel,
  { intervalMs, misses, signal }: HeartbeatOptions,
): Promise<boolean> {
  let missed = 0;
  while (missed < misses) {
    try {
      await channel.request('ping', {}, { deadlineMs: intervalMs, signal });
      missed = 0;
      await sleep(intervalMs, undefined, { signal });
    } catch (error) {
      if (!isEarshotError(error, 'IPC_TIMEOUT')) return false;
      missed += 1;
    }
  }
  return true;
}
