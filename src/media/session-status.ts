import type { FastLaneStatus } from './fast-lane-sender.ts';
import type { SessionState, SessionStatus } from './media-types.ts';
import type { Peer } from './peer.ts';
import { addCounts, allDrops, noCounts, type PeerCounts } from './peer-counts.ts';

/** Counts of a session over all its peers. */
export type SessionTotals = PeerCounts & { readonly datagramsRefused: number };

/** The same with those of its peer of the moment. */
export function addPeer(earlier: SessionTotals, peer: Peer | undefined): SessionTotals {
  const datagramsRefused = earlier.datagramsRefused + (peer?.transport.datagramsRefused ?? 0);
  const totals = { ...noCounts(), datagramsRefused };
  addCounts(totals, earlier);
  if (peer !== undefined) addCounts(totals, peer.counts);
  return totals;
}

/** One viewer as the API shows it; what only a peer knows is 0 without one, and its round trip −1. */
export function describeSession(session: {
  readonly id: string;
  readonly state: SessionState;
  readonly reason: string;
  readonly ageMs: number;
  readonly peer: Peer | undefined;
  readonly totals: SessionTotals;
  readonly fastLane: FastLaneStatus | null;
}): SessionStatus {
  const { id, state, reason, ageMs, peer, totals, fastLane } = session;
  return {
    ...{ id, state, reason, ageMs },
    candidateType: peer?.transport.candidateType ?? '',
    packetsSent: totals.packetsSent,
    bytesSent: totals.bytesSent,
    packetsRetransmitted: totals.packetsRetransmitted,
    packetsLost: peer?.reception.packetsLost ?? 0,
    fractionLost: peer?.reception.fractionLost ?? 0,
    jitterMs: peer?.reception.jitterMs ?? 0,
    roundTripMs: roundTripMs(peer),
    microphonePackets: totals.microphonePackets,
    microphoneBytes: totals.microphoneBytes,
    microphoneLost: totals.microphoneLost,
    microphoneJitterMs: peer?.microphoneJitterMs ?? 0,
    microphoneFramesDropped: allDrops(totals.microphoneDrops),
    datagramsRefused: totals.datagramsRefused,
    fastLane,
  };
}

/** What the viewer's reports say, or before there are any the connectivity checks. */
function roundTripMs(peer: Peer | undefined): number {
  const reported = peer?.reception.roundTripMs ?? -1;
  return reported >= 0 ? reported : (peer?.transport.roundTripMs ?? -1);
}
