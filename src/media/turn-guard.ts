import { isIP } from 'node:net';
import { readStunMessage, stunHeaderBytes } from './stun-message.ts';
import type { TurnPath } from './werift-internals.ts';

/** Headers and attributes around a relayed datagram of any usual MTU. */
const maxTurnBytes = 2_048;

/**
 * Puts a check in front of a TURN client's UDP socket: only the server speaks to it, and only in STUN
 * messages and channel data (RFC 8656 §12.4) whose lengths hold. Over TCP or TLS the server alone has
 * the connection.
 */
export function guardTurnSocket(path: {
  readonly turn: Pick<TurnPath['turn'], 'transport' | 'server'>;
}): void {
  const { transport, server } = path.turn;
  if (transport.type !== 'udp') return;
  // An error nobody listens for would end the process.
  transport.socket?.on('error', () => undefined);
  const deliver = transport.onData;
  transport.onData = (datagram, address) => {
    const fromServer =
      address[1] === server[1] && (isIP(server[0]) === 0 || address[0] === server[0]);
    if (fromServer && turnDatagramHolds(datagram)) deliver(datagram, address);
  };
}

/** Whether a datagram is a STUN message or channel data that stays within itself. */
export function turnDatagramHolds(datagram: Buffer): boolean {
  if (datagram.length < 4 || datagram.length > maxTurnBytes) return false;
  const first = datagram.readUInt8(0);
  if (first >= 64 && first < 80) return 4 + datagram.readUInt16BE(2) <= datagram.length;
  return (
    first < 4 &&
    datagram.length >= stunHeaderBytes &&
    readStunMessage(datagram, maxTurnBytes) !== undefined
  );
}
