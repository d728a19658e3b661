import type { Log } from '../log/log.ts';
import { fastLaneProtocol, maxFastLaneMessageBytes } from '../media/fast-lane-packets.ts';
import type { ApiCounts } from './api-counts.ts';
import { LaneSockets } from './lane-sockets.ts';
import type { FastLaneDoor, MediaService } from './services.ts';
import { closeCodes, type WatchedSocket, type WatchedSocketLimits } from './watched-sockets.ts';

export interface FastLaneSocketLimits extends WatchedSocketLimits {
  /** By how much an answer to a ping may be late before no more sound is sent, in ms. */
  readonly maxLateMs: number;
}

export const defaultFastLaneSocketLimits: FastLaneSocketLimits = {
  pingMs: 5_000,
  maxMessageBytes: maxFastLaneMessageBytes,
  maxMessages: 500,
  maxQueuedBytes: 64 * 1024,
  closeMs: 2_000,
  maxLateMs: 500,
};

/** The WebSockets of /api/v1/fast-lane (src/media/FAST-LANE.md). A session's door throws MEDIA_SESSION_UNKNOWN. */
export class FastLaneSockets extends LaneSockets<FastLaneDoor> {
  constructor(options: {
    readonly media: MediaService;
    readonly log: Log;
    readonly counts: ApiCounts;
    readonly limits?: FastLaneSocketLimits;
  }) {
    const { media, log, counts, limits = defaultFastLaneSocketLimits } = options;
    super({
      ...{ log, counts, limits, protocol: fastLaneProtocol },
      door: (session) => media.fastLane(session),
      open: (socket, door) => {
        const connection = door.openSocket({
          maxRedundantBytes: maxFastLaneMessageBytes,
          send: (message) => send(socket, message, limits),
          end: (reason) => socket.end(closeCodes.normal, reason),
        });
        return {
          receive: (message) => {
            socket.probe();
            connection.receive(message);
          },
          close: () => connection.close(),
        };
      },
    });
  }
}

/** Kernels keep seconds of sound for a path that takes none; how late pings are answered tells of it. */
function send(
  socket: WatchedSocket,
  message: Uint8Array,
  { maxQueuedBytes, maxLateMs }: FastLaneSocketLimits,
): boolean {
  if (!socket.isOpen || socket.lateMs > maxLateMs) return false;
  if (socket.queuedBytes + message.length > maxQueuedBytes) return false;
  socket.send(message);
  return true;
}
