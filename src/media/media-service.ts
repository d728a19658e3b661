import type { IceServer } from './ice-servers.ts';
import type { MediaHub } from './media-hub.ts';
import { Players } from './players.ts';

/** How long candidates of STUN and TURN servers are waited for, where there are any: a player takes one answer. */
const gatherMs = 1_000;

/** The hub as the API serves it: to pages, and to players that bring an offer of their own. */
export function mediaService(hub: MediaHub, iceServers: readonly IceServer[]) {
  const players = new Players({
    openSession: (viewer) => hub.openSession(viewer),
    gatherMs: iceServers.length === 0 ? 0 : gatherMs,
  });
  return {
    openSession: (viewer: Parameters<MediaHub['openSession']>[0]) => hub.openSession(viewer),
    fastLane: (session: string) => hub.fastLane(session),
    hid: (session: string) => hub.hid(session),
    sessions: () => hub.sessions(),
    openWhep: (offer: string) => players.open(offer),
    closeWhep: (id: string) => players.close(id),
    iceServers: () => iceServers,
  };
}
