import type { RTCDtlsTransport } from 'werift';
import { fastLaneLabel, fastLaneProtocol, maxFastLaneMessageBytes } from './fast-lane-packets.ts';
import { TokenBucket } from './token-bucket.ts';
import { maxDataQueueBytes } from './transport.ts';
import { WeriftSctp } from './werift-sctp.ts';

/**
 * The one data channel of a connection (RFC 8831, opened by the viewer with RFC 8832): unordered,
 * without retransmissions, with the fast lane's label and protocol. Any other channel is closed, and
 * a new one of the right kind takes the place of the one before.
 */

/** Payload protocol identifiers (RFC 8831 §8). */
const protocols = { dcep: 50, binary: 53 } as const;
/** RFC 8832 §8.2.1. */
const dcepTypes = { ack: 2, open: 3 } as const;
/** DATA_CHANNEL_PARTIAL_RELIABLE_REXMIT_UNORDERED (RFC 8832 §5.1). */
const unorderedRexmit = 0x81;
/** Viewers ping four times a second. */
const messageRate = { perSecond: 100, burst: 100 };
/** A page opens one and, when it starts over, another. */
const openingRate = { perSecond: 1, burst: 16 };

export interface DataChannelOptions {
  readonly dtls: RTCDtlsTransport;
  /** Sends an SCTP packet as DTLS application data. */
  readonly send: (packet: Buffer) => void;
  readonly onOpen: (open: boolean) => void;
  /** A binary message of 1–4,096 bytes, valid during the call only. */
  readonly onMessage: (message: Buffer) => void;
  /** Something of the viewer was not taken: a packet, a message, a channel. */
  readonly onRefused: (error?: unknown) => void;
}

export class DataChannel {
  readonly #options: DataChannelOptions;
  readonly #sctp: WeriftSctp;
  readonly #messages = new TokenBucket({ ...messageRate, nowMs: performance.now() });
  readonly #openings = new TokenBucket({ ...openingRate, nowMs: performance.now() });
  #streamId: number | undefined;

  constructor(options: DataChannelOptions) {
    this.#options = options;
    this.#sctp = new WeriftSctp({
      dtls: options.dtls,
      send: options.send,
      onMessage: (streamId, protocol, data) => this.#receive(streamId, protocol, data),
      onReset: (streamIds) => {
        if (this.#streamId !== undefined && streamIds.includes(this.#streamId)) this.#leave();
      },
      onClosed: () => this.#leave(),
      onRefused: options.onRefused,
    });
  }

  get isOpen(): boolean {
    return this.#streamId !== undefined;
  }

  /** One SCTP packet of the viewer. Never throws but what `onOpen` and `onMessage` throw. */
  receive(packet: Buffer): void {
    this.#sctp.receive(packet);
  }

  /** As Transport.sendData. */
  send(message: Uint8Array): boolean {
    if (this.#streamId === undefined) return false;
    if (message.length === 0 || message.length > maxFastLaneMessageBytes) return false;
    if (this.#sctp.queuedBytes + message.length > maxDataQueueBytes) return false;
    this.#sctp.sendOnce(this.#streamId, protocols.binary, Buffer.from(message));
    return true;
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.#sctp.stop();
  }

  #receive(streamId: number, protocol: number, data: Buffer): void {
    if (protocol === protocols.dcep) {
      this.#receiveControl(streamId, data);
      return;
    }
    const isMessage =
      streamId === this.#streamId &&
      protocol === protocols.binary &&
      data.length <= maxFastLaneMessageBytes &&
      this.#messages.take(performance.now());
    if (isMessage) this.#options.onMessage(data);
    else this.#options.onRefused();
  }

  #receiveControl(streamId: number, data: Buffer): void {
    if (data[0] !== dcepTypes.open) {
      this.#options.onRefused();
    } else if (!this.#openings.take(performance.now())) {
      this.#options.onRefused();
      void this.close();
    } else if (isFastLane(data)) {
      this.#sctp.sendReliably(streamId, protocols.dcep, Buffer.from([dcepTypes.ack]));
      this.#enter(streamId);
    } else {
      this.#options.onRefused();
      this.#sctp.reset(streamId);
    }
  }

  #enter(streamId: number): void {
    const previous = this.#streamId;
    if (previous === streamId) return;
    if (previous !== undefined) {
      this.#leave();
      this.#sctp.reset(previous);
    }
    this.#streamId = streamId;
    this.#options.onOpen(true);
  }

  #leave(): void {
    if (this.#streamId === undefined) return;
    this.#streamId = undefined;
    this.#options.onOpen(false);
  }
}

/** Whether a DATA_CHANNEL_OPEN (RFC 8832 §5.1) asks for the channel we have. */
function isFastLane(open: Buffer): boolean {
  if (open.length < 12) return false;
  const labelBytes = open.readUInt16BE(8);
  const protocolBytes = open.readUInt16BE(10);
  return (
    open.length === 12 + labelBytes + protocolBytes &&
    open.readUInt8(1) === unorderedRexmit &&
    open.readUInt32BE(4) === 0 &&
    open.toString('utf8', 12, 12 + labelBytes) === fastLaneLabel &&
    open.toString('utf8', 12 + labelBytes) === fastLaneProtocol
  );
}
