import type { Log } from './log/log.ts';

/** A part of the program. Parts are started in the order of their list and stopped in reverse. */
export interface Part {
  start(): Promise<void> | void;
  stop(): Promise<void> | void;
}

/** How long everything together may take to stop before the process ends anyway, in ms. */
const stopDeadlineMs = 10_000;

/** Starts `parts`, and stops them and ends the process on SIGTERM or SIGINT. Throws what a part threw at its start. */
export async function runParts(parts: readonly Part[], log: Log): Promise<void> {
  const started: Part[] = [];
  let stopping = false;

  const stop = async (signal: string): Promise<void> => {
    if (stopping) process.exit(1);
    stopping = true;
    log.info({ signal }, 'earshot stops');
    setTimeout(() => process.exit(1), stopDeadlineMs).unref();
    await stopAll(started, log);
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => void stop(signal));
  }
  process.on('uncaughtException', (error) => {
    log.error({ err: error }, 'unforeseen error, the process ends');
    process.exit(1);
  });

  try {
    for (const part of parts) {
      started.push(part);
      await part.start();
    }
  } catch (error) {
    if (stopping) return;
    await stopAll(started, log);
    throw error;
  }
}

async function stopAll(parts: readonly Part[], log: Log): Promise<void> {
  for (const part of parts.toReversed()) {
    try {
      await part.stop();
    } catch (error) {
      log.error({ err: error }, 'a part did not stop cleanly');
    }
  }
}
