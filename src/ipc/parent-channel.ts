import { Socket } from 'node:net';
import { EarshotError } from '../errors/earshot-error.ts';
import { Channel, type ChannelOptions } from './channel.ts';

/** The descriptor on which a child finds its channel to the main process. */
export const parentChannelFd = 3;

export interface ParentChannelOptions extends ChannelOptions {
  /**
   * Milliseconds after the close at which the process ends itself if its own teardown has not,
   * so that a child never outlives the main process; 800 by default.
   */
  readonly exitAfterCloseMs?: number;
}

/** Exit code of a child whose main process went away (EX_UNAVAILABLE). */
const exitUnavailable = 69;

/**
 * A child's channel to the main process, which alone decides when the child ends: SIGINT is ignored
 * from now on. Attach handlers, `start()` it, then send `hello`. On 'close'
 * the child must free what it holds and exit. Throws IPC_NO_PARENT when there is no such channel.
 */
export function openParentChannel(options: ParentChannelOptions = {}): Channel {
  const channel = new Channel(openSocket(), options);
  const exitAfterCloseMs = options.exitAfterCloseMs ?? 800;
  // A terminal's Ctrl-C reaches the whole process group; main stops its children itself, in order.
  process.on('SIGINT', () => {});
  channel.once('close', () => {
    setTimeout(() => process.exit(exitUnavailable), exitAfterCloseMs).unref();
  });
  return channel;
}

function openSocket(): Socket {
  try {
    return new Socket({ fd: parentChannelFd, readable: true, writable: true });
  } catch (cause) {
    throw new EarshotError(
      'IPC_NO_PARENT',
      `File descriptor ${parentChannelFd} is no socket: this role is started by the main process, not by hand.`,
      { cause },
    );
  }
}
