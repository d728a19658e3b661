import type { Candidate, StunProtocol } from 'werift';
import { EarshotError } from '../errors/earshot-error.ts';
import type { InboundStream } from './sctp-inbound-stream.ts';

/**
 * What we use of werift 0.25.2 beyond its public types, in one place. The version is pinned, the
 * shapes are checked when a connection is made, and a test holds them against the installed version.
 */

/** A path of an ICE connection: one of ours over the mux, or a TURN allocation. */
export interface IceProtocol {
  readonly type: string;
  localCandidate?: Candidate | undefined;
  readonly onDataReceived: { execute(datagram: Buffer): void };
  request(
    message: object,
    address: readonly [string, number],
    integrityKey: Buffer,
    options: { readonly retransmissions: number; readonly responseTimeout: number },
  ): Promise<unknown>;
  sendData(datagram: Buffer, address: readonly [string, number]): Promise<void>;
}

/** A request that waits for its answer, with the key of the answer's MESSAGE-INTEGRITY, where it has to have one. */
export interface IceTransaction {
  integrityKey?: Buffer | undefined;
}

export interface IcePair {
  readonly protocol: IceProtocol;
  /** RFC 8445 §6.1.2.6; {@link pairSucceeded} is the one that works. */
  readonly state: number;
  readonly remoteAddr: readonly [string, number];
  readonly remoteCandidate: { readonly type: string };
  readonly localCandidate: Candidate;
  /** Seconds. */
  readonly rtt?: number | undefined;
  /** Grows by one string a check for as long as the pair lives. */
  readonly requestTransactionIds: Set<string>;
}

/** werift's ICE agent (`Connection`). */
export interface IceAgent {
  localUsername: string;
  localPassword: string;
  readonly remoteUsername: string;
  readonly remotePassword: string;
  /** Password of each local fragment, older generations included. */
  readonly userHistory: Record<string, string>;
  iceControlling: boolean;
  readonly generation: number;
  readonly protocols: object[];
  /** Checks of the viewer that came before its answer. */
  readonly earlyChecks: readonly unknown[];
  /** What came over a path and is no STUN: DTLS, for the transport that sits on this agent. */
  readonly onData: { execute(datagram: Buffer): void };
  /** Sends what that transport has for the viewer. */
  send: (datagram: Buffer) => Promise<void>;
  /** Nominates the best TCP pair that works, unless something is nominated. */
  nominateTcpPairIfReady: () => void;
  readonly checkList: readonly IcePair[];
  readonly nominated?: IcePair | undefined;
  stunServer?: readonly [string, number] | undefined;
  /** Listens to a path. */
  ensureProtocol(protocol: object): void;
  appendLocalCandidate(candidate: Candidate): void;
  /** Pairs a path with the remote candidates known so far; a pair that exists is left. */
  pairLocalProtocol(protocol: object): void;
  buildRequest(options: {
    readonly nominate: boolean;
    readonly localUsername: string;
    readonly remoteUsername: string;
    readonly iceControlling: boolean;
    readonly localCandidate: Candidate;
  }): object;
}

/** werift's path over one UDP socket, with the members we drive ourselves. */
export interface StunPath extends IceProtocol {
  transport: object;
  localIp?: string | undefined;
  readonly transactions: Readonly<Record<string, IceTransaction>>;
  datagramReceived(datagram: Buffer, address: readonly [string, number]): void;
}

/** werift's path through a TURN allocation. */
export interface TurnPath extends IceProtocol {
  /** Called with what the relay unwrapped. */
  handleStunMessage: (datagram: Buffer, address: readonly [string, number]) => void;
  readonly turn: TurnClient;
}

/** werift's TURN client: one allocation. */
export interface TurnClient {
  readonly relayedAddress: readonly [string, number];
  readonly mappedAddress: readonly [string, number];
  readonly transactions: Readonly<Record<string, IceTransaction>>;
  readonly transport: {
    readonly type: string;
    readonly socket?: { on(event: 'error', listener: () => void): void } | undefined;
    onData: (datagram: Buffer, address: readonly [string, number]) => void;
  };
  readonly server: readonly [string, number];
  /** One STUN message of the server. */
  handleSTUNMessage: (datagram: Buffer, from: readonly [string, number]) => void;
  request(
    message: object,
    address: readonly [string, number],
    integrityKey: undefined,
    options: { readonly retransmissions: number; readonly responseTimeout: number },
  ): Promise<unknown>;
  close(): Promise<void>;
}

/** One DATA chunk on its way out. */
export interface SctpChunk {
  readonly streamId: number;
  userData: Buffer;
  /** The viewer has it, beyond a gap. */
  readonly acked?: boolean | undefined;
  /** Undefined: sent again until it is acknowledged. */
  readonly maxRetransmits?: number | undefined;
  abandoned: boolean;
  retransmit: boolean;
  /** How many SACKs missed it; three and it counts as lost. */
  misses: number;
  /** Bytes it counts for in flight. */
  bookSize: number;
}

interface SctpEvent<A extends readonly unknown[]> {
  subscribe(listener: (...args: A) => void): void;
  allUnsubscribe(): void;
}

/** A FORWARD-TSN chunk (RFC 3758 §3.2). */
export interface SctpForwardTsn {
  readonly cumulativeTsn: number;
  readonly streams: readonly (readonly [streamId: number, sequence: number])[];
}

/** werift's SCTP association, inside its `RTCSctpTransport`. Sequence numbers (TSN) are 32 bits. */
export interface SctpAssociation {
  transport: { send(packet: Buffer): Promise<void> };
  isServer: boolean;
  /** RFC 9260 §4; {@link sctpEstablished} is the one with data. */
  readonly associationState: number;
  readonly stateChanged: { readonly connected: SctpEvent<[]>; readonly closed: SctpEvent<[]> };
  readonly onReceive: SctpEvent<[streamId: number, protocol: number, data: Buffer]>;
  readonly onReconfigStreams: SctpEvent<[streamIds: number[]]>;
  onSackReceived: () => Promise<void>;
  _inboundStreamsMax: number;
  _outboundStreamsCount: number;
  /** Bytes that the viewer may still send. */
  advertisedRwnd: number;
  readonly inboundStreams: Record<number, InboundStream>;
  lastReceivedTsn?: number | undefined;
  /** An acknowledgement is due, and at once. */
  sackNeeded: boolean;
  sackImmediate: boolean;
  sackPacketCount: number;
  readonly isStopped: boolean;
  readonly lastSackedTsn: number;
  readonly advancedPeerAckTsn: number;
  /** The next one. */
  readonly localTsn: number;
  readonly outboundQueue: readonly SctpChunk[];
  readonly sentQueue: readonly SctpChunk[];
  /** The FORWARD-TSN to send with the next transmission. */
  forwardTsnChunk?: object | undefined;
  readonly flightSize: number;
  /** Seconds. */
  readonly srtt?: number | undefined;
  readonly reconfigQueue: number[];
  start(remotePort: number): Promise<void>;
  /** Aborts it and clears its timers. */
  stop(): Promise<void>;
  handleData(packet: Buffer): Promise<void>;
  send(
    streamId: number,
    protocol: number,
    data: Buffer,
    options: { readonly ordered: boolean; readonly maxRetransmits?: number },
  ): Promise<void>;
  transmitReconfigRequest(): Promise<void>;
  sendChunk(chunk: { readonly bytes: Buffer }): Promise<void>;
  /** Hands a message out. */
  receive(streamId: number, protocol: number, data: Buffer): void;
  /** Notes a DATA chunk's number; true: it came before. */
  markReceived: (tsn: number) => boolean;
  getInboundStream: (streamId: number) => InboundStream;
  receiveForwardTsnChunk: (chunk: SctpForwardTsn) => void;
  sendSack: () => Promise<void>;
  maybeAbandon: (chunk: SctpChunk) => boolean;
  updateAdvancedPeerAckPoint: () => void;
  flightSizeDecrease(chunk: SctpChunk): void;
}

export const sctpEstablished = 4;
export const pairSucceeded = 3;

export function iceAgentOf(connection: object): IceAgent {
  if (isIceAgent(connection)) return connection;
  throw unexpected('Connection');
}

export function stunPathOf(protocol: StunProtocol): StunPath {
  if (isStunPath(protocol)) return protocol;
  throw unexpected('StunProtocol');
}

export function sctpAssociationOf(association: object): SctpAssociation {
  if (isSctpAssociation(association)) return association;
  throw unexpected('SCTP');
}

export function turnClientOf(client: object): TurnClient {
  if (isTurnClient(client)) return client;
  throw unexpected('TurnProtocol');
}

export function isTurnPath(protocol: object): protocol is TurnPath {
  return (
    'handleStunMessage' in protocol &&
    typeof protocol.handleStunMessage === 'function' &&
    'turn' in protocol &&
    typeof protocol.turn === 'object'
  );
}

function isIceAgent(value: object): value is IceAgent {
  return (
    'protocols' in value &&
    Array.isArray(value.protocols) &&
    'userHistory' in value &&
    'checkList' in value &&
    'earlyChecks' in value &&
    'onData' in value &&
    [
      'ensureProtocol',
      'appendLocalCandidate',
      'pairLocalProtocol',
      'buildRequest',
      'send',
      'nominateTcpPairIfReady',
    ].every((name) => typeof Reflect.get(value, name) === 'function')
  );
}

function isTurnClient(value: object): value is TurnClient {
  return (
    'transactions' in value &&
    'transport' in value &&
    ['handleSTUNMessage', 'request', 'close'].every(
      (name) => typeof Reflect.get(value, name) === 'function',
    )
  );
}

function isSctpAssociation(value: object): value is SctpAssociation {
  return (
    ['outboundQueue', 'sentQueue', 'reconfigQueue'].every((name) =>
      Array.isArray(Reflect.get(value, name)),
    ) &&
    [
      'cwnd',
      'flightSize',
      'localTsn',
      'lastSackedTsn',
      'advancedPeerAckTsn',
      'advertisedRwnd',
      'sackPacketCount',
    ].every((name) => typeof Reflect.get(value, name) === 'number') &&
    ['fastRecoveryExit', 'forwardTsnChunk', 'inboundStreams', 'stateChanged'].every(
      (name) => name in value,
    ) &&
    [
      'handleData',
      'send',
      'start',
      'stop',
      'maybeAbandon',
      'updateAdvancedPeerAckPoint',
      'flightSizeDecrease',
      'transmitReconfigRequest',
      'sendChunk',
      'receive',
      'markReceived',
      'getInboundStream',
      'receiveForwardTsnChunk',
      'sendSack',
    ].every((name) => typeof Reflect.get(value, name) === 'function')
  );
}

function isStunPath(value: object): value is StunPath {
  return (
    'transactions' in value &&
    typeof Reflect.get(value, 'datagramReceived') === 'function' &&
    typeof Reflect.get(value, 'sendData') === 'function'
  );
}

function unexpected(name: string): EarshotError {
  return new EarshotError(
    'INTERNAL',
    `werift's ${name} is not of the shape this program was written for (0.25.2).`,
  );
}
