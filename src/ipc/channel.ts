import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { EarshotError, isEarshotError } from '../errors/earshot-error.ts';
import { ChannelWriter } from './channel-writer.ts';
import { decodeControl } from './control-codec.ts';
import { type Frame, FrameDecoder, type FramingFault, payloadLimit } from './framing.ts';
import {
  type ControlMessage,
  type ControlType,
  frameFlags,
  type MediaMessage,
  type MediaType,
  type MessageType,
} from './messages.ts';
import {
  PendingRequests,
  type ReplyMessage,
  type RequestOptions,
  type RequestType,
} from './pending-requests.ts';
import { SequenceTracker } from './sequence.ts';

/** The body of a control message. */
export type ControlBody<T extends ControlType> = Extract<ControlMessage, { type: T }>['body'];

/** Why a channel closed. */
export interface CloseReason {
  /**
   * `local`: `close()` was called. `peer`: the other end closed. `framing`: what arrived is not frames.
   * `stalled`: the peer did not read for too long. `overflow`: more control waits than a peer that
   * reads could leave. `socket`: the operating system reported an error.
   */
  readonly kind: 'local' | 'peer' | 'framing' | 'stalled' | 'overflow' | 'socket';
  /** In words, for the log. */
  readonly message: string;
  readonly fault?: FramingFault;
}

export interface ChannelEvents {
  /** A valid control message that is neither a reply nor a ping. */
  control: [message: ControlMessage];
  /** A media frame; its payload is valid until the handler returns. */
  media: [message: MediaMessage];
  /** A control message that was refused; the channel lives on and the peer was told. */
  invalid: [error: EarshotError];
  /** After `sendMedia` returned false: the queue is empty again. */
  drain: [];
  /** Exactly once. Nothing is emitted after it. */
  close: [reason: CloseReason];
}

export interface ChannelOptions {
  /** Milliseconds a peer may leave a write unread before the channel is closed; 5,000 by default. */
  readonly stallMs?: number;
  /** Whether pings are answered as they arrive; true by default. */
  readonly answerPings?: boolean;
  /** Media older than this on arrival is dropped and counted; never by default. */
  readonly maxMediaAgeMs?: number;
}

/** Counters since the channel was made. */
export interface ChannelStats {
  readonly framesSent: number;
  readonly bytesSent: number;
  readonly framesReceived: number;
  readonly bytesReceived: number;
  /** Media dropped here because the peer reads too slowly, per type. */
  readonly mediaDropped: Readonly<Record<MediaType, number>>;
  /** Media dropped on arrival for its age. */
  readonly mediaStale: number;
  /** Frames missing between those that arrived. */
  readonly sequenceGaps: number;
  readonly invalidMessages: number;
  readonly framingFaults: number;
  readonly requestsPending: number;
  readonly requestTimeouts: number;
  /** Replies to requests that were over. */
  readonly lateReplies: number;
  /** Bytes waiting in this process, what the socket holds of them included. */
  readonly queuedBytes: number;
}

/**
 * Typed messages over a connected stream socket, by the contract in PROTOCOL.md.
 *
 * INVARIANTS: a frame once begun is written whole; control is never dropped and keeps its order;
 * media of one type keeps its order and drops oldest first; every request ends exactly once.
 */
export class Channel extends EventEmitter<ChannelEvents> {
  readonly #socket: Socket;
  readonly #answerPings: boolean;
  readonly #maxMediaAgeNs: bigint | undefined;
  readonly #decoder: FrameDecoder;
  readonly #writer: ChannelWriter;
  readonly #requests = new PendingRequests();
  readonly #arrivals = new SequenceTracker();
  #started = false;
  #closed: CloseReason | undefined;
  #framesReceived = 0;
  #mediaStale = 0;
  #invalidMessages = 0;
  #framingFaults = 0;
  #lateReplies = 0;
  /** Time of the chunk being read, for the age of its media. */
  #nowNs = 0n;

  /** Takes a connected socket and owns it from `start()` on. */
  constructor(socket: Socket, options: ChannelOptions = {}) {
    super();
    this.#socket = socket;
    this.#answerPings = options.answerPings ?? true;
    this.#maxMediaAgeNs =
      options.maxMediaAgeMs === undefined
        ? undefined
        : BigInt(Math.round(options.maxMediaAgeMs * 1e6));
    this.#decoder = new FrameDecoder((frame) => this.#receive(frame));
    this.#writer = new ChannelWriter(socket, {
      stallMs: options.stallMs ?? 5_000,
      onDrain: () => this.emit('drain'),
      onUnhealthy: (kind, message) => this.#finish({ kind, message }),
    });
  }

  /** Begins to read; attach handlers first. Sending is possible before. Once. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#socket.on('end', () => this.#finish(this.#endReason()));
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#finish(peerLeft(error) ? this.#endReason() : socketFailed(error));
    });
    this.#socket.on('close', () => this.#finish(this.#endReason()));
  }

  /** Why the channel is closed; undefined while it is open. */
  get closed(): CloseReason | undefined {
    return this.#closed;
  }

  /**
   * Queues a control message; never dropped while the channel lives. False when it is closed.
   * Throws IPC_MESSAGE_TOO_LARGE.
   */
  send<T extends ControlType>(type: T, body: ControlBody<T>): boolean {
    if (this.#closed !== undefined) return false;
    this.#writer.sendControl(type, body);
    return this.#closed === undefined;
  }

  /**
   * Sends a request and waits for its reply. Rejects with IPC_TIMEOUT, IPC_CLOSED, the signal's
   * reason, or the error the peer answered with (code and message as the peer gave them).
   */
  request(
    type: 'configure',
    body: Omit<ControlBody<'configure'>, 'id'>,
    options: RequestOptions,
  ): Promise<ReplyMessage<'configure'>>;
  request(
    type: 'ping',
    body: Omit<ControlBody<'ping'>, 'id'>,
    options: RequestOptions,
  ): Promise<ReplyMessage<'ping'>>;
  request(type: RequestType, body: object, options: RequestOptions): Promise<ReplyMessage> {
    if (this.#closed !== undefined) return Promise.reject(closedError(this.#closed));
    return this.#requests.open(type, options, (id) => {
      this.#writer.sendControl(type, { ...body, id });
    });
  }

  /**
   * Queues a media frame. A payload over 4 KiB is not copied: it must not change any more.
   * False when the next frame would push out the oldest (wait for 'drain') or the channel is
   * closed. Throws IPC_MESSAGE_TOO_LARGE.
   */
  sendMedia(frame: {
    readonly type: MediaType;
    readonly payload: Uint8Array;
    /** CLOCK_MONOTONIC in ns. */
    readonly timestampNs: bigint;
    /** Bits of `frameFlags`; none by default. */
    readonly flags?: number;
  }): boolean {
    if (frame.payload.length > payloadLimit(frame.type)) throw tooLarge(frame);
    if (this.#closed !== undefined) return false;
    return this.#writer.sendMedia(frame.type, frame.flags ?? 0, frame.timestampNs, frame.payload);
  }

  /** Resolves when nothing waits to be written any more, the channel is closed, or `deadlineMs` passed. */
  flush({ deadlineMs }: { readonly deadlineMs: number }): Promise<void> {
    return this.#closed === undefined ? this.#writer.flush(deadlineMs) : Promise.resolve();
  }

  /** Closes at once; what waits is lost (`flush` first to keep it). Idempotent. */
  close(message = 'The channel was closed by this side.'): void {
    this.#finish({ kind: 'local', message });
  }

  stats(): ChannelStats {
    const writer = this.#writer.stats();
    return {
      ...writer,
      framesReceived: this.#framesReceived,
      bytesReceived: this.#socket.bytesRead,
      mediaStale: this.#mediaStale,
      sequenceGaps: this.#arrivals.missing,
      invalidMessages: this.#invalidMessages,
      framingFaults: this.#framingFaults,
      requestsPending: this.#requests.size,
      requestTimeouts: this.#requests.timeouts,
      lateReplies: this.#lateReplies,
    };
  }

  #read(chunk: Buffer): void {
    if (this.#maxMediaAgeNs !== undefined) this.#nowNs = process.hrtime.bigint();
    const fault = this.#decoder.push(chunk);
    if (fault === undefined || this.#closed !== undefined) return;
    this.#framingFaults += 1;
    this.#finish({
      kind: 'framing',
      message: `What arrived is no frame: ${fault.message}.`,
      fault,
    });
  }

  /** Per frame: one header object, no copy, one emit. */
  #receive(frame: Frame): void {
    this.#framesReceived += 1;
    const gap = this.#arrivals.arrived(frame.type, frame.sequence);
    if (!isMedia(frame.type)) {
      this.#receiveControl(frame.type, frame.payload);
      return;
    }
    if (
      this.#maxMediaAgeNs !== undefined &&
      this.#nowNs - frame.timestampNs > this.#maxMediaAgeNs
    ) {
      this.#mediaStale += 1;
      this.#arrivals.lost(frame.type);
      return;
    }
    const flags = gap ? frame.flags | frameFlags.discontinuity : frame.flags;
    this.emit('media', {
      type: frame.type,
      flags,
      sequence: frame.sequence,
      timestampNs: frame.timestampNs,
      payload: frame.payload,
    });
  }

  #receiveControl(type: ControlType, payload: Buffer): void {
    let message: ControlMessage;
    try {
      message = decodeControl(type, payload);
    } catch (error) {
      if (!isEarshotError(error)) throw error;
      this.#refuse(type, error);
      return;
    }
    if (message.type === 'ping' && this.#answerPings) {
      this.send('pong', { id: message.body.id });
    } else if (this.#requests.answer(message)) {
      return;
    } else if (isAnswer(message)) {
      this.#lateReplies += 1;
    } else {
      this.emit('control', message);
    }
  }

  /** An invalid message is answered, except an answer: two confused peers must not feed each other. */
  #refuse(type: ControlType, error: EarshotError): void {
    this.#invalidMessages += 1;
    if (type !== 'error' && type !== 'pong') {
      const id = error.details['id'];
      const message = error.message.slice(0, 1_000);
      const body = { code: error.code, message };
      this.send('error', typeof id === 'number' ? { ...body, id } : body);
    }
    this.emit('invalid', error);
  }

  #endReason(): CloseReason {
    const cut = this.#decoder.idle ? '' : ' in the middle of a frame';
    return { kind: 'peer', message: `The other end closed the channel${cut}.` };
  }

  #finish(reason: CloseReason): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    this.#decoder.stop();
    this.#writer.stop();
    // A socket that fails while it is torn down has nobody left to tell.
    this.#socket.on('error', () => {});
    this.#socket.destroy();
    this.#requests.rejectAll(closedError(reason));
    this.emit('close', reason);
  }
}

/** True for the types that carry media bytes. */
export function isMedia(type: MessageType): type is MediaType {
  return type === 'opus' || type === 'video' || type === 'pcm' || type === 'picture';
}

/** True for a message that only makes sense as the answer to a request. */
function isAnswer(message: ControlMessage): boolean {
  if (message.type === 'error') return message.body.id !== undefined;
  return message.type === 'ready' || message.type === 'configured' || message.type === 'pong';
}

/** The peer closed while something it had not read was under way: still a peer that closed. */
function peerLeft({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ECONNRESET' || code === 'EPIPE';
}

function socketFailed(error: Error): CloseReason {
  return { kind: 'socket', message: `The channel's socket failed: ${error.message}.` };
}

function closedError(reason: CloseReason): EarshotError {
  return new EarshotError('IPC_CLOSED', reason.message, { details: { kind: reason.kind } });
}

function tooLarge(frame: { readonly type: MediaType; readonly payload: Uint8Array }): EarshotError {
  const limit = payloadLimit(frame.type);
  return new EarshotError(
    'IPC_MESSAGE_TOO_LARGE',
    `A frame of ${frame.type} has ${frame.payload.length} bytes; at most ${limit} are allowed.`,
    { details: { type: frame.type, bytes: frame.payload.length, limit } },
  );
}
