import { isEarshotError, messageOf } from '../../errors/earshot-error.ts';
import { openParentChannel } from '../../ipc/parent-channel.ts';
import { createLog } from '../../log/log.ts';
import { version } from '../../version.ts';
import { libraryVersions, openCapture } from '../native/binding.ts';
import { AudioOutput } from './audio-output.ts';

/** Exit code when the main process went away (EX_UNAVAILABLE). */
const exitUnavailable = 69;

/** How long the last messages may take to leave. */
const flushMs = 500;

const tickMs = 1_000;

/**
 * The audio-output child (started by the supervisor, with its channel on descriptor 3): runs until
 * `stop`, SIGTERM or the end of the channel, and ends the process with the code of PROTOCOL.md.
 */
export async function runAudioOutput(): Promise<void> {
  const log = createLog({ level: 'info', role: 'audio-output' });
  try {
    process.exit(await run(log));
  } catch (error) {
    const code = isEarshotError(error) ? error.code : 'INTERNAL';
    log.error({ code, error: messageOf(error) }, 'audio-output cannot run');
    process.exit(isEarshotError(error) ? error.exitCode : 1);
  }
}

/** Resolves with the exit code when the process should end. */
async function run(log: ReturnType<typeof createLog>): Promise<number> {
  const channel = openParentChannel();
  const exitCode = await new Promise<number>((resolve) => {
    const output = new AudioOutput({
      channel,
      openCapture(options) {
        log.info(libraryVersions(), 'native audio');
        return openCapture(options);
      },
      version,
      log,
      onEnd: finish,
    });
    const ticks = setInterval(() => output.tick(), tickMs);

    function finish(code: number): void {
      clearInterval(ticks);
      output.stop();
      resolve(code);
    }
    process.once('SIGTERM', () => finish(0));
    channel.once('close', () => finish(exitUnavailable));
    channel.on('control', (message) => output.receive(message));
    output.start();
    channel.start();
  });
  await channel.flush({ deadlineMs: flushMs });
  channel.close();
  return exitCode;
}
