import { type RTCDtlsTransport, RTCSctpTransport } from 'werift';
import { maxFastLaneMessageBytes } from './fast-lane-packets.ts';
import { maxSctpStreams, readSctpPacket } from './sctp-packet.ts';
import { sctpPort } from './sdp-offer.ts';
import { TokenBucket } from './token-bucket.ts';
import {
  type SctpAssociation,
  type SctpChunk,
  sctpAssociationOf,
  sctpEstablished,
} from './werift-internals.ts';

/**
 * werift's SCTP association, for messages that are worth nothing once they are late: nothing that is
 * sent with {@link WeriftSctp.sendOnce} is ever sent again, and nothing waits for what was lost.
 *
 * INVARIANTS
 * - Every packet is bounded by readSctpPacket before the association sees it, and none of its faults
 *   leaves this file.
 * - What it keeps for the viewer is bounded: {@link maxKeptChunks} chunks, or it ends.
 */

/** Packets a second from a viewer; acknowledgements of 400 messages a second fit. */
const packetRate = { perSecond: 1_000, burst: 1_000 };
/** Chunks kept for fragments and order. A message of 4,096 bytes is four. */
const maxKeptChunks = 64;
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
  readonly #packets = new TokenBucket({ ...packetRate, nowMs: performance.now() });
  #ending: Promise<void> | undefined;

  constructor(options: WeriftSctpOptions) {
    const transport = new RTCSctpTransport(sctpPort, maxFastLaneMessageBytes);
    transport.setDtlsTransport(options.dtls);
    const association = sctpAssociationOf(transport.sctp);
    this.#association = association;
    this.#onRefused = options.onRefused;
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
    const read = this.#packets.take(performance.now())
      ? readSctpPacket(packet, {
          established: association.associationState === sctpEstablished,
          receivedTsn: association.lastReceivedTsn,
          ackedTsn: association.lastSackedTsn,
          sentTsn: association.localTsn - 1,
        })
      : undefined;
    if (read === undefined) {
      this.#onRefused();
      return;
    }
    if (read.keeps > 0 && this.#keptChunks() + read.keeps > maxKeptChunks) {
      this.#onRefused();
      void this.stop();
      return;
    }
    association.handleData(packet).catch(this.#onRefused);
  }

  /** Sends a message in order and again until it is acknowledged. */
  sendReliably(streamId: number, protocol: number, data: Buffer): void {
    this.#association.send(streamId, protocol, data, { ordered: true }).catch(this.#onRefused);
  }

  /** Sends a message now, unordered, and never again. `data` is not copied. */
  sendOnce(streamId: number, protocol: number, data: Buffer): void {
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

  #keptChunks(): number {
    let chunks = 0;
    for (const { reassembly } of Object.values(this.#association.inboundStreams)) {
      chunks += reassembly.length;
    }
    return chunks;
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

/** Whether `chunk`, which was lost or may be, is given up. It no longer counts as in flight then. */
function abandon(association: SctpAssociation, chunk: SctpChunk): boolean {
  if (chunk.maxRetransmits === undefined) return false;
  if (chunk.abandoned) return true;
  chunk.abandoned = true;
  chunk.retransmit = false;
  chunk.misses = Number.NEGATIVE_INFINITY;
  association.flightSizeDecrease(chunk);
  chunk.bookSize = 0;
  return true;
}
