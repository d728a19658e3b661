import { isIPv6 } from 'node:net';
import {
  StunOverTurnProtocol,
  TcpTransport,
  TlsTransport,
  TurnProtocol,
  UdpTransport,
} from 'werift';
import { readStunMessage } from './stun-message.ts';
import { guardTurnSocket } from './turn-guard.ts';
import { isTurnPath, type TurnClient, type TurnPath, turnClientOf } from './werift-internals.ts';

export interface TurnAccount {
  readonly address: readonly [string, number];
  readonly transport: 'udp' | 'tcp' | 'tls';
  readonly username: string;
  readonly credential: string;
  /** PEM of what signs the server's certificate; the well-known authorities when undefined. */
  readonly authority?: string | undefined;
}

const connectTimeoutMs = 5_000;
/** Seconds; it is refreshed before they are over. */
const allocationLifetime = 600;
const stunErrors = { unauthenticated: 401, staleNonce: 438 } as const;
const errorCodeAttribute = 0x0009;
const maxResponseBytes = 2_048;

/** An allocation at a TURN server (RFC 8656), by werift's client. Rejects with what went wrong. */
export async function openTurnPath(account: TurnAccount): Promise<TurnPath> {
  const { address, username, credential } = account;
  const transport = await connect(account);
  // werift's own types of its transports do not fit its own parameter under our strictness.
  const turn: TurnProtocol = Reflect.construct(TurnProtocol, [
    address,
    username,
    credential,
    allocationLifetime,
    transport,
  ]);
  takeUnsignedErrors(turnClientOf(turn));
  const allocated = turn.connectionMade();
  // From the first datagram on; werift listens at once.
  guardTurnSocket({ turn: turnClientOf(turn) });
  try {
    await allocated;
    const path = new StunOverTurnProtocol(turn);
    if (isTurnPath(path)) return path;
    throw new Error('an allocation of another shape than expected');
  } catch (error) {
    await turn.close();
    throw error;
  }
}

function connect({ address, transport, authority }: TurnAccount) {
  switch (transport) {
    case 'udp':
      return UdpTransport.init(isIPv6(address[0]) ? 'udp6' : 'udp4');
    case 'tcp':
      return TcpTransport.init(address, { connectTimeoutMs });
    case 'tls':
      return TlsTransport.init(address, authority === undefined ? {} : { ca: authority }, {
        connectTimeoutMs,
      });
  }
}

/**
 * A challenge, and the word that its nonce is too old, cannot be signed (RFC 8489 §9.2.4), and werift
 * leaves what is unsigned unread: wrong credentials would look like silence, and each relay would end
 * with its first nonce, after ten minutes at most servers. The transaction's number, 96 random bits, is
 * what tells the server from others.
 */
function takeUnsignedErrors(turn: TurnClient): void {
  const handle = turn.handleSTUNMessage.bind(turn);
  turn.handleSTUNMessage = (datagram, from) => {
    const message = readStunMessage(datagram, maxResponseBytes);
    if (message?.class === 'error' && message.integrityOffset < 0) {
      const code = errorCodeOf(datagram);
      const transaction = turn.transactions[message.transactionId];
      if (transaction !== undefined && Object.values<unknown>(stunErrors).includes(code)) {
        transaction.integrityKey = undefined;
      }
    }
    handle(datagram, from);
  };
}

/** ERROR-CODE (RFC 8489 §14.8) of a message whose attributes were found to hold; 0 where there is none. */
function errorCodeOf(message: Buffer): number {
  let offset = 20;
  while (offset + 8 <= message.length) {
    const length = message.readUInt16BE(offset + 2);
    if (message.readUInt16BE(offset) === errorCodeAttribute && length >= 4) {
      return (message.readUInt8(offset + 6) & 0x07) * 100 + message.readUInt8(offset + 7);
    }
    offset += 4 + ((length + 3) & ~3);
  }
  return 0;
}
