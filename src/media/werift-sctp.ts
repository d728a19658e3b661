import { type RTCDtlsTransport, RTCSctpTransport } from 'werift';
import { TokenBucket } from '../rates/token-bucket.ts';
import { maxFastLaneMessageBytes } from './fast-lane-packets.ts';
import { countInbound } from './sctp-inbound.ts';
import { maxSctpStreams, readSctpPacket, type SctpPacket } from './sctp-packet.ts';
import { sctpPort } from './sdp-offer.ts';
import {
  type SctpAssociation,
  type SctpChunk,
  sctpAssociationOf,
  sctpEstablished,
} from './werift-internals.ts';

/**
 * werift's SCTP association, for messages that are worth nothing once they are late, and a few beside
 * them that have to come, in order. Nothing that is sent with {@link WeriftSctp.sendOnce} is ever sent
 * again, and nothing waits for what was lost of it.
 *
 * INVARIANTS
 * - Every packet is bounded by readSctpPacket before the association sees it, and none of its faults
 *   leaves this file.
 * - What it keeps for the viewer is bounded, both ways: {@link maxKeptBytes}, {@link maxKeptFragments},
 *   {@link maxSentChunks}, or it ends.
 */

/** Packets a second from a viewer, of each kind. */
const packetRates = {
  /** Its pointer at its limit, one message a packet, and keys. */
  data: { perSecond: 3_000, burst: 2_000 },
  /** Beside those, with ordered messages in them: what floods the others holds back no key. */
  ordered: { perSecond: 1_000, burst: 1_000 },
  /** Without messages; acknowledgements of 900 messages a second fit. */
  control: { perSecond: 1_000, burst: 1_000 },
} as const;
/** Bytes kept until those before them come: 2,048 messages of keys are less. */
const maxKeptBytes = 65_536;
/** Chunks kept that are no whole message: a message of 4,096 bytes is four. */
const maxKeptFragments = 64;
/**
 * Chunks that were sent and lie behind one that the viewer does not acknowledge, abandoned ones without
 * their bytes: ten seconds of sound at 400 messages a second, longer than a silent viewer lives.
 */
const maxSentChunks = 4_096;
/**
 * Bytes in flight, always. The encoder is what limits the rate and a full queue drops, so a window
 * that shrinks at every loss, as for bulk data, would only hold back sound: with 10 % loss it comes
 * down to 1 kB. A second of silence until the T3 timer at 512 kbit/s fits.
 */
const flightWindowBytes = 65_536;
/** Least time between two FORWARD-TSN for the same gap (RFC 3758 §3.5, F2), before a round trip is known. */
const leastForwardMs = 20;

export interface WeriftSctpOptions {
  readonly dtls: RTCDtlsTransport;
  /** Sends a packet as DTLS application data. */
  readonly send: (packet: Buffer) => void;
  /** A whole message: valid during the call only, of any length. */
  readonly onMessage: (streamId: number, protocol: number, data: Buffer) => void;
  /** The viewer has reset these streams, or confirmed that we have. */
  readonly onReset: (streamIds: readonly number[]) => void;
  /** The association has ended, by the viewer or by a fault. */
  readonly onClosed: () => void;
  /** A packet did not get to the association, or not through it; `error` is the association's own fault. */
  readonly onRefused: (error?: unknown) => void;
}

export class WeriftSctp {
  readonly #association: SctpAssociation;
  readonly #onRefused: (error?: unknown) => void;
  readonly #packets: Readonly<Record<keyof typeof packetRates, TokenBucket>>;
  #ending: Promise<void> | undefined;

  constructor(options: WeriftSctpOptions) {
    const transport = new RTCSctpTransport(sctpPort, maxFastLaneMessageBytes);
    transport.setDtlsTransport(options.dtls);
    const association = sctpAssociationOf(transport.sctp);
    this.#association = association;
    this.#onRefused = options.onRefused;
    const nowMs = performance.now();
    this.#packets = {
      data: new TokenBucket({ ...packetRates.data, nowMs }),
      ordered: new TokenBucket({ ...packetRates.ordered, nowMs }),
      control: new TokenBucket({ ...packetRates.control, nowMs }),
    };
    // Its channels are not used: a message of an unknown kind rejects a promise there that nobody holds.
    options.dtls.dataReceiver = () => undefined;
    association.onReceive.allUnsubscribe();
    association.onReconfigStreams.allUnsubscribe();
    association.stateChanged.connected.allUnsubscribe();
    association.stateChanged.closed.allUnsubscribe();
    association.onSackReceived = async () => undefined;
    association.transport = { send: async (packet) => options.send(packet) };
    association.onReceive.subscribe(options.onMessage);
    association.onReconfigStreams.subscribe(options.onReset);
    association.stateChanged.closed.subscribe(options.onClosed);
    countInbound(association);
    sendOnceOnly(association);
    // The browser begins it (RFC 8831 §6.2 lets either side); we only answer.
    association.isServer = true;
    association._inboundStreamsMax = maxSctpStreams;
    association._outboundStreamsCount = maxSctpStreams;
    // Resolves in the same turn, since a server sends nothing.
    association.start(sctpPort).catch(options.onRefused);
  }

  /** Bytes of messages that wait to be sent. */
  get queuedBytes(): number {
    let bytes = 0;
    for (const { userData } of this.#association.outboundQueue) bytes += userData.length;
    return bytes;
  }

  /** One SCTP packet of the viewer. Never throws. */
  receive(packet: Buffer): void {
    const association = this.#association;
    const read = readSctpPacket(packet, {
      established: association.associationState === sctpEstablished,
      receivedTsn: association.lastReceivedTsn,
      ackedTsn: association.lastSackedTsn,
      sentTsn: association.localTsn - 1,
    });
    if (read === undefined || !this.#admits(read)) {
      this.#onRefused();
      return;
    }
    if (!this.#hasRoomFor(read, packet.length)) {
      this.#onRefused();
      void this.stop();
      return;
    }
    association.handleData(packet).catch(this.#onRefused);
  }

  /** Bytes of a stream's messages that the viewer has not acknowledged, waiting ones included. */
  unackedBytes(streamId: number): number {
    const { sentQueue, outboundQueue } = this.#association;
    let bytes = 0;
    for (const chunk of sentQueue) {
      if (chunk.streamId === streamId && chunk.acked !== true) bytes += chunk.userData.length;
    }
    for (const chunk of outboundQueue) {
      if (chunk.streamId === streamId) bytes += chunk.userData.length;
    }
    return bytes;
  }

  /** Sends a message in order and again until it is acknowledged. `data` is not copied. */
  sendReliably(streamId: number, protocol: number, data: Buffer): void {
    this.#association.send(streamId, protocol, data, { ordered: true }).catch(this.#onRefused);
  }

  /** Sends a message now, unordered, and never again. `data` is not copied. */
  sendOnce(streamId: number, protocol: number, data: Buffer): void {
    if (this.#association.sentQueue.length >= maxSentChunks) {
      this.#onRefused();
      void this.stop();
      return;
    }
    this.#association
      .send(streamId, protocol, data, { ordered: false, maxRetransmits: 0 })
      .catch(this.#onRefused);
  }

  /** Closes a stream (RFC 8831 §6.7). */
  reset(streamId: number): void {
    const { reconfigQueue } = this.#association;
    if (!reconfigQueue.includes(streamId)) reconfigQueue.push(streamId);
    this.#association.transmitReconfigRequest().catch(this.#onRefused);
  }

  /** Tells the viewer, and clears every timer. Idempotent. */
  stop(): Promise<void> {
    this.#ending ??= this.#association.stop();
    return this.#ending;
  }

  #admits({ data, keeps }: SctpPacket): boolean {
    const nowMs = performance.now();
    if (data === 0) return this.#packets.control.take(nowMs);
    return this.#packets.data.take(nowMs) || (keeps > 0 && this.#packets.ordered.take(nowMs));
  }

  /** Whether what lies behind a gap, and is not given out at once, may be more. */
  #hasRoomFor({ keeps, fragments }: SctpPacket, bytes: number): boolean {
    if (keeps === 0) return true;
    let [keptBytes, keptFragments] = [bytes, fragments];
    for (const stream of Object.values(this.#association.inboundStreams)) {
      keptBytes += stream.keptBytes;
      keptFragments += stream.keptFragments;
    }
    return keptBytes <= maxKeptBytes && keptFragments <= maxKeptFragments;
  }
}

/**
 * Makes the association give up a lost chunk of an unreliable message for good (RFC 3758 §3.5).
 * werift takes "no retransmissions" for "as many as it takes", gives up another chunk than the one
 * that was lost, and never repeats a FORWARD-TSN that was lost itself.
 */
function sendOnceOnly(association: SctpAssociation): void {
  association.maybeAbandon = (chunk) => abandon(association, chunk);
  const advance = association.updateAdvancedPeerAckPoint.bind(association);
  let last: object | undefined;
  let lastMs = 0;
  association.updateAdvancedPeerAckPoint = () => {
    advance();
    const nowMs = performance.now();
    const isBehind = ((association.advancedPeerAckTsn - association.lastSackedTsn) | 0) > 0;
    const waitMs = Math.max(leastForwardMs, (association.srtt ?? 0) * 1_000);
    if (association.forwardTsnChunk === undefined && isBehind && nowMs - lastMs > waitMs) {
      association.forwardTsnChunk = last;
    }
    if (association.forwardTsnChunk !== undefined) {
      last = association.forwardTsnChunk;
      lastMs = nowMs;
    }
  };
  Object.defineProperties(association, {
    cwnd: { get: () => flightWindowBytes, set: () => undefined },
    // In fast recovery a message of several chunks would wait for an acknowledgement half way.
    fastRecoveryExit: { get: () => undefined, set: () => undefined },
  });
}

const noBytes = Buffer.alloc(0);

/** Whether `chunk`, which was lost or may be, is given up. It no longer counts as in flight then. */
function abandon(association: SctpAssociation, chunk: SctpChunk): boolean {
  if (chunk.maxRetransmits === undefined) return false;
  if (chunk.abandoned) return true;
  chunk.abandoned = true;
  chunk.retransmit = false;
  chunk.misses = Number.NEGATIVE_INFINITY;
  association.flightSizeDecrease(chunk);
  chunk.bookSize = 0;
  chunk.userData = noBytes;
  return true;
}
