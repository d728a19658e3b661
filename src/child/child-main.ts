import { isEarshotError, messageOf } from '../errors/earshot-error.ts';
import type { Channel } from '../ipc/channel.ts';
import type { ChildRole, ControlMessage, MediaMessage } from '../ipc/messages.ts';
import { openParentChannel } from '../ipc/parent-channel.ts';
import { createLog } from '../log/log.ts';
import { version } from '../version.ts';
import type { ChildProcessContext } from './child-protocol.ts';

/** What a child does, in its process. */
export interface RoleProgram {
  start(): void;
  stop(): void;
  /** Called once a second. */
  tick(): void;
  receive(message: ControlMessage): void;
  /** Takes a media frame; its payload is valid during the call. */
  receiveMedia?(message: MediaMessage): void;
}

export interface RunChildOptions {
  readonly role: ChildRole;
  readonly make: (options: ChildProcessContext & { readonly channel: Channel }) => RoleProgram;
}

/** Exit code when the main process went away (EX_UNAVAILABLE). */
const exitUnavailable = 69;

/** How long the last messages may take to leave. */
const flushMs = 500;

const tickMs = 1_000;

/**
 * The process of a child (started by the supervisor, with its channel on descriptor 3): runs until
 * `stop`, SIGTERM or the end of the channel, and ends the process with the code of PROTOCOL.md.
 */
export async function runChild(options: RunChildOptions): Promise<void> {
  const { role } = options;
  const log = createLog({ level: 'info', role });
  try {
    process.exit(await run(options, log));
  } catch (error) {
    const code = isEarshotError(error) ? error.code : 'INTERNAL';
    log.error({ code, error: messageOf(error) }, `${role} cannot run`);
    process.exit(isEarshotError(error) ? error.exitCode : 1);
  }
}

/** Resolves with the exit code when the process should end. */
async function run({ make }: RunChildOptions, log: ChildProcessContext['log']): Promise<number> {
  const channel = openParentChannel();
  const exitCode = await new Promise<number>((resolve) => {
    const child = make({ channel, version, log, onEnd: finish });
    const ticks = setInterval(() => child.tick(), tickMs);

    function finish(code: number): void {
      clearInterval(ticks);
      child.stop();
      resolve(code);
    }
    process.once('SIGTERM', () => finish(0));
    channel.once('close', () => finish(exitUnavailable));
    channel.on('control', (message) => child.receive(message));
    channel.on('media', (message) => child.receiveMedia?.(message));
    child.start();
    channel.start();
  });
  await channel.flush({ deadlineMs: flushMs });
  channel.close();
  return exitCode;
}
