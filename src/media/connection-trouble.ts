/**
 * Why no connection came about, in sentences for a person: from what was tried, the first step that
 * did not happen names the likely cause.
 */

/** What is known of an attempt to connect. */
export interface ConnectionAttempt {
  /** Candidate types offered to the viewer: `host`, `host tcp`, `srflx`, `relay`. */
  readonly localTypes: readonly string[];
  /** Types of the candidates the viewer named: `host`, `srflx`, `relay`, and `name` for one in mDNS. */
  readonly remoteTypes: readonly string[];
  /** Authenticated checks of the viewer that arrived, over UDP, TCP and relays. */
  readonly checksReceived: { readonly udp: number; readonly tcp: number; readonly relay: number };
  /** Answers of the viewer to checks of the device. */
  readonly answersReceived: number;
  /** A pair of candidates was found to work. */
  readonly pairFound: boolean;
  readonly dtls: 'not begun' | 'begun';
  /** What was wrong with the device's STUN and TURN servers, a sentence each. */
  readonly serverTroubles: readonly string[];
  /** Local ports; 0: none. */
  readonly udpPort: number;
  readonly tcpPort: number;
}

/** A few sentences, the last of them about servers that did not help. */
export function describeTrouble(attempt: ConnectionAttempt): string {
  return [mainTrouble(attempt), ...attempt.serverTroubles.slice(0, 3)].join(' ');
}

function mainTrouble(attempt: ConnectionAttempt): string {
  const { checksReceived, answersReceived, pairFound } = attempt;
  if (attempt.localTypes.length === 0) {
    return 'The device has no address to offer the viewer: it has no network, or media.addresses names none of its own.';
  }
  if (pairFound) {
    return attempt.dtls === 'begun'
      ? 'A network path to the viewer was found, but the secure connection (DTLS) was not finished in time; packets may be lost on the way.'
      : 'A network path to the viewer was found, but it did not begin the secure connection (DTLS).';
  }
  if (checksReceived.udp + checksReceived.tcp + checksReceived.relay > 0) {
    return answersReceived > 0
      ? 'Checks passed both ways between the viewer and the device, but no path was agreed on in time.'
      : "The viewer's checks reached the device, but no answer came to the device's own; a firewall or NAT may drop what the device sends.";
  }
  return `None of the viewer's checks reached ${portsOf(attempt)}; ${likelyCause(attempt)}. The viewer offered ${typesText(attempt.remoteTypes)}, the device ${typesText(attempt.localTypes)}.`;
}

function portsOf({ udpPort, tcpPort, localTypes }: ConnectionAttempt): string {
  const ports = [
    ...(udpPort > 0 ? [`UDP port ${udpPort}`] : []),
    ...(tcpPort > 0 ? [`TCP port ${tcpPort}`] : []),
    ...(localTypes.includes('relay') ? ["the device's relay"] : []),
  ];
  return ports.length === 0 ? 'the device' : ports.join(' or ');
}

function likelyCause({ tcpPort, remoteTypes, localTypes }: ConnectionAttempt): string {
  if (remoteTypes.length === 0) {
    return 'the viewer found no address of its own to check from';
  }
  const hasRelay = [...remoteTypes, ...localTypes].includes('relay');
  const blocked = tcpPort > 0 ? 'a firewall may block both' : 'a firewall may block UDP';
  return hasRelay
    ? `${blocked}, and the relay does not reach the device`
    : `${blocked}, or the two are in networks that do not reach each other (a TURN server in media.iceServers relays between such)`;
}

function typesText(types: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const type of types) counts.set(type, (counts.get(type) ?? 0) + 1);
  const texts = [...counts].map(([type, count]) => (count === 1 ? type : `${count} × ${type}`));
  return texts.length === 0 ? 'no candidates' : texts.join(', ');
}
