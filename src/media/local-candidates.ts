import { Candidate, candidateFoundation, candidatePriority } from 'werift';
import type { MediaEndpoint } from './media-endpoint.ts';
import type { TurnPath } from './werift-internals.ts';

/** What the device offers of itself: its candidates, and the sockets behind them, as werift takes them. */

/** RFC 8445 §5.1.2.1: one local preference each, in the order of the addresses. */
const highestLocalPreference = 65_535;
/** RFC 6544 §4.2 leaves it open: below every UDP path but a relay. */
const tcpTypePreference = 90;
/** RFC 6544 §4.2: direction preference of a passive candidate, and what is left for the address. */
const passivePreference = 4 << 13;
const highestTcpPreference = 8_191;
/** The candidate of a socket of the mux, the `index`th of them. */
export function hostCandidate(endpoint: MediaEndpoint, index: number): Candidate {
  const { protocol, address, port } = endpoint;
  const isTcp = protocol === 'tcp';
  return new Candidate(
    candidateFoundation('host', protocol, address),
    1,
    protocol,
    isTcp
      ? tcpTypePreference * 2 ** 24 +
          (passivePreference + highestTcpPreference - index) * 2 ** 8 +
          255
      : candidatePriority('host', highestLocalPreference - index),
    address,
    port,
    'host',
    undefined,
    undefined,
    isTcp ? 'passive' : undefined,
  );
}

/** The candidate of an allocation at a TURN server. */
export function relayCandidate({ turn }: TurnPath): Candidate {
  const [address, port] = turn.relayedAddress;
  const [relatedAddress, relatedPort] = turn.mappedAddress;
  return new Candidate(
    candidateFoundation('relay', 'udp', address),
    1,
    'udp',
    candidatePriority('relay'),
    address,
    port,
    'relay',
    relatedAddress,
    relatedPort,
  );
}

/** What werift's path takes for a UDP socket of its own. It never closes the one it shares. */
export function sharedSocket(endpoint: MediaEndpoint): object {
  return {
    type: 'udp',
    closed: false,
    address: { address: endpoint.address, port: endpoint.port },
    addressFamily: endpoint.family,
    host: endpoint.address,
    port: endpoint.port,
    onData: () => undefined,
    send: async (datagram: Buffer, [address, port]: readonly [string, number]) => {
      endpoint.send(datagram, port, address);
    },
    close: async () => undefined,
  };
}

/** A candidate line (RFC 8839 §5.1). */
export function candidateText({ candidate }: { readonly candidate: string }): string {
  return candidate.startsWith('candidate:') ? candidate : `candidate:${candidate}`;
}
