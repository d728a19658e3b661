import type { Log } from '../log/log.ts';
import { hidProtocol, maxHidMessageBytes } from '../media/hid-channels.ts';
import type { ApiCounts } from './api-counts.ts';
import { LaneSockets } from './lane-sockets.ts';
import type { HidDoor, MediaService } from './services.ts';
import { closeCodes, type WatchedSocket, type WatchedSocketLimits } from './watched-sockets.ts';

export const defaultHidSocketLimits: WatchedSocketLimits = {
  pingMs: 5_000,
  maxMessageBytes: maxHidMessageBytes.maxMessageBytes,
  // A pointer's 1,000 a second and the keys beside it; what is over the limits of each is dropped before.
  maxMessages: 20_000,
  maxQueuedBytes: 64 * 1024,
  closeMs: 2_000,
};

/** The WebSockets of /api/v1/hid (src/control/hid/PROTOCOL.md). A session's door throws MEDIA_SESSION_UNKNOWN or HID_NOT_CONFIGURED. */
export class HidSockets extends LaneSockets<HidDoor> {
  constructor(options: {
    readonly media: MediaService;
    readonly log: Log;
    readonly counts: ApiCounts;
    readonly limits?: WatchedSocketLimits;
  }) {
    const { media, log, counts, limits = defaultHidSocketLimits } = options;
    super({
      ...{ log, counts, limits, protocol: hidProtocol },
      door: (session) => media.hid(session),
      open: (socket, door) =>
        door.openSocket({
          send: (message) => send(socket, message, limits),
          end: (reason) => socket.end(closeCodes.normal, reason),
        }),
    });
  }
}

/** What the device says is in order and complete: a viewer that does not take it is let go of, and its keys with it. */
function send(
  socket: WatchedSocket,
  message: Uint8Array,
  { maxQueuedBytes }: WatchedSocketLimits,
): boolean {
  if (!socket.isOpen) return false;
  if (socket.queuedBytes + message.length > maxQueuedBytes) {
    socket.terminate();
    return false;
  }
  socket.send(message);
  return true;
}
