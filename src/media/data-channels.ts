import type { RTCDtlsTransport } from 'werift';
import { TokenBucket } from '../rates/token-bucket.ts';
import {
  type DataChannelKind,
  type DataChannelName,
  dataChannelKinds,
  isReliable,
  kindOf,
} from './data-channel-kinds.ts';
import { maxDataQueueBytes, maxReliableQueueBytes } from './transport.ts';
import { WeriftSctp } from './werift-sctp.ts';

/**
 * The data channels of a connection (RFC 8831, opened by the viewer with RFC 8832): one of each kind of
 * data-channel-kinds.ts. Any other is closed, and a new one of a kind takes the place of the one before.
 */

/** Payload protocol identifiers (RFC 8831 §8). */
const protocols = { dcep: 50, binary: 53 } as const;
/** RFC 8832 §8.2.1. */
const dcepTypes = { ack: 2, open: 3 } as const;
/** A page opens one of each kind and, when it starts over, others. */
const openingRate = { perSecond: 1, burst: 16 };

export interface DataChannelsOptions {
  readonly dtls: RTCDtlsTransport;
  /** The kinds that the viewer may open. */
  readonly kinds: readonly DataChannelName[];
  /** Sends an SCTP packet as DTLS application data. */
  readonly send: (packet: Buffer) => void;
  /** `overflow`: closed, since the viewer did not take what it was sent. */
  readonly onChange: (name: DataChannelName, change: 'open' | 'closed' | 'overflow') => void;
  /** A binary message of 1 byte up to the most of its kind, valid during the call only. */
  readonly onMessage: (name: DataChannelName, message: Buffer) => void;
  /** Something of the viewer was not taken: a packet, a message, a channel. */
  readonly onRefused: (error?: unknown) => void;
}

interface OpenChannel {
  readonly name: DataChannelName;
  readonly kind: DataChannelKind;
  readonly streamId: number;
  /** No less than what waits and what was not acknowledged. */
  unackedBytes: number;
}

export class DataChannels {
  readonly #options: DataChannelsOptions;
  readonly #sctp: WeriftSctp;
  readonly #messages = new Map<DataChannelName, TokenBucket>();
  readonly #openings = new TokenBucket({ ...openingRate, nowMs: performance.now() });
  readonly #open = new Map<DataChannelName, OpenChannel>();

  constructor(options: DataChannelsOptions) {
    this.#options = options;
    for (const name of options.kinds) {
      const { messageRate }: DataChannelKind = dataChannelKinds[name];
      if (messageRate === undefined) continue;
      this.#messages.set(name, new TokenBucket({ ...messageRate, nowMs: performance.now() }));
    }
    this.#sctp = new WeriftSctp({
      dtls: options.dtls,
      send: options.send,
      onMessage: (streamId, protocol, data) => this.#receive(streamId, protocol, data),
      onReset: (streamIds) => {
        for (const { name, streamId } of [...this.#open.values()]) {
          if (streamIds.includes(streamId)) this.#leave(name, 'closed');
        }
      },
      onClosed: () => this.#leaveAll(),
      onRefused: options.onRefused,
    });
  }

  isOpen(name: DataChannelName): boolean {
    return this.#open.has(name);
  }

  /** One SCTP packet of the viewer. Never throws but what `onChange` and `onMessage` throw. */
  receive(packet: Buffer): void {
    this.#sctp.receive(packet);
  }

  /** As Transport.sendData and Transport.sendKeys. */
  send(name: DataChannelName, message: Uint8Array): boolean {
    const channel = this.#open.get(name);
    if (channel === undefined) return false;
    if (message.length === 0 || message.length > channel.kind.maxSendBytes) return false;
    if (isReliable(name)) return this.#sendReliably(channel, message);
    if (this.#sctp.queuedBytes + message.length > maxDataQueueBytes) return false;
    this.#sctp.sendOnce(channel.streamId, protocols.binary, Buffer.from(message));
    return true;
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.#sctp.stop();
  }

  #sendReliably(channel: OpenChannel, message: Uint8Array): boolean {
    const { name, streamId } = channel;
    channel.unackedBytes += message.length;
    if (channel.unackedBytes > maxReliableQueueBytes) {
      // What was acknowledged in the meantime is looked at only now and then.
      channel.unackedBytes = this.#sctp.unackedBytes(streamId) + message.length;
    }
    if (channel.unackedBytes > maxReliableQueueBytes) {
      this.#leave(name, 'overflow');
      this.#sctp.reset(streamId);
      return false;
    }
    this.#sctp.sendReliably(streamId, protocols.binary, Buffer.from(message));
    return true;
  }

  #receive(streamId: number, protocol: number, data: Buffer): void {
    if (protocol === protocols.dcep) {
      this.#receiveControl(streamId, data);
      return;
    }
    const channel = this.#channelOf(streamId);
    const isMessage =
      channel !== undefined &&
      protocol === protocols.binary &&
      data.length <= channel.kind.maxMessageBytes &&
      this.#messages.get(channel.name)?.take(performance.now()) !== false;
    if (isMessage) this.#options.onMessage(channel.name, data);
    else this.#options.onRefused();
  }

  #channelOf(streamId: number): OpenChannel | undefined {
    for (const channel of this.#open.values()) if (channel.streamId === streamId) return channel;
    return undefined;
  }

  #receiveControl(streamId: number, data: Buffer): void {
    if (data[0] !== dcepTypes.open) {
      this.#options.onRefused();
      return;
    }
    if (!this.#openings.take(performance.now())) {
      this.#options.onRefused();
      void this.close();
      return;
    }
    const name = kindOf(data, this.#options.kinds);
    if (name === undefined) {
      this.#options.onRefused();
      this.#sctp.reset(streamId);
      return;
    }
    this.#sctp.sendReliably(streamId, protocols.dcep, Buffer.from([dcepTypes.ack]));
    this.#enter(name, streamId);
  }

  #enter(name: DataChannelName, streamId: number): void {
    const here = this.#channelOf(streamId);
    if (here?.name === name) return;
    // A stream that is opened anew as another kind is no longer what it was.
    if (here !== undefined) this.#leave(here.name, 'closed');
    const previous = this.#open.get(name);
    if (previous !== undefined) {
      this.#leave(name, 'closed');
      this.#sctp.reset(previous.streamId);
    }
    this.#open.set(name, { name, kind: dataChannelKinds[name], streamId, unackedBytes: 0 });
    this.#options.onChange(name, 'open');
  }

  #leave(name: DataChannelName, change: 'closed' | 'overflow'): void {
    if (this.#open.delete(name)) this.#options.onChange(name, change);
  }

  #leaveAll(): void {
    for (const name of [...this.#open.keys()]) this.#leave(name, 'closed');
  }
}
