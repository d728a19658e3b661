import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { encodeControl } from './control-codec.ts';
import { encodeFrame, headerBytes, writeHeader } from './framing.ts';
import { MediaQueue, mediaQueueBounds, type QueuedFrame } from './media-queue.ts';
import type { ControlType, MediaType } from './messages.ts';
import { SequenceCounter } from './sequence.ts';

/** Payloads up to this size are copied behind their header: one piece to write costs less than two. */
const copyLimitBytes = 4 * 1024;
/** One write takes queued frames up to this size, or one larger frame. */
const batchBytes = 64 * 1024;
/** More waiting control than this means the peer does not read, whatever the clock says. */
const maxControlBytes = 4 * 1024 * 1024;
const maxControlMessages = 4_096;
const highestTimestampNs = 2n ** 64n - 1n;

export interface ChannelWriterOptions {
  readonly stallMs: number;
  readonly onDrain: () => void;
  readonly onUnhealthy: (kind: 'stalled' | 'overflow', message: string) => void;
}

/**
 * The sending half of a channel. At most one write is with the socket at any time, so that what
 * waits can still be dropped; what is with the socket is always finished. Control overtakes media.
 */
export class ChannelWriter {
  readonly #socket: Socket;
  readonly #options: ChannelWriterOptions;
  readonly #sequences = new SequenceCounter();
  #control: Buffer[] = [];
  #controlBytes = 0;
  readonly #media = {
    opus: new MediaQueue(mediaQueueBounds.opus),
    pcm: new MediaQueue(mediaQueueBounds.pcm),
    video: new MediaQueue(mediaQueueBounds.video),
    picture: new MediaQueue(mediaQueueBounds.picture),
  } as const satisfies Record<MediaType, MediaQueue>;
  readonly #dropped = { opus: 0, pcm: 0, video: 0, picture: 0 };
  #inFlightBytes = 0;
  #writeStartedMs = 0;
  #stallTimer: NodeJS.Timeout | undefined;
  #wantsDrain = false;
  #stopped = false;
  #framesSent = 0;
  #bytesSent = 0;
  #idleWaiters: (() => void)[] = [];

  constructor(socket: Socket, options: ChannelWriterOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  /** Throws IPC_MESSAGE_TOO_LARGE. */
  sendControl(type: ControlType, body: object): void {
    const payload = encodeControl(type, body);
    const frame = encodeFrame(
      { type, flags: 0, sequence: this.#sequences.take(type), timestampNs: 0n },
      payload,
    );
    this.#control.push(frame);
    this.#controlBytes += frame.length;
    if (this.#controlBytes > maxControlBytes || this.#control.length > maxControlMessages) {
      this.#options.onUnhealthy(
        'overflow',
        `${this.#control.length} control messages wait for a peer that does not read.`,
      );
      return;
    }
    this.#flush();
  }

  /** Per frame: one buffer for a small payload, header and slice for a large one. */
  sendMedia(type: MediaType, flags: number, timestampNs: bigint, payload: Uint8Array): boolean {
    const queue = this.#media[type];
    const bounded =
      timestampNs < 0n ? 0n : timestampNs > highestTimestampNs ? highestTimestampNs : timestampNs;
    const header = { type, flags, sequence: this.#sequences.take(type), timestampNs: bounded };
    const bytes = headerBytes + payload.length;
    if (payload.length <= copyLimitBytes) {
      const pieces = [encodeFrame(header, payload)];
      this.#dropped[type] += queue.push({ timestampNs: bounded, pieces, bytes });
    } else {
      const head = Buffer.allocUnsafe(headerBytes);
      writeHeader(head, header, payload.length);
      this.#dropped[type] += queue.push({ timestampNs: bounded, pieces: [head, payload], bytes });
    }
    this.#flush();
    if (!queue.full) return true;
    this.#wantsDrain = true;
    return false;
  }

  flush(deadlineMs: number): Promise<void> {
    if (this.#idle) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, deadlineMs);
      this.#idleWaiters.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Nothing further is handed to the socket; what waits is counted as dropped. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#stallTimer);
    this.#stallTimer = undefined;
    for (const type of mediaOrder) this.#dropped[type] += this.#media[type].clear();
    this.#control = [];
    this.#controlBytes = 0;
    this.#wakeIdleWaiters();
  }

  stats(): {
    framesSent: number;
    bytesSent: number;
    mediaDropped: Record<MediaType, number>;
    queuedBytes: number;
  } {
    const waiting = mediaOrder.reduce((sum, type) => sum + this.#media[type].bytes, 0);
    return {
      framesSent: this.#framesSent,
      bytesSent: this.#bytesSent,
      mediaDropped: { ...this.#dropped },
      queuedBytes: this.#controlBytes + waiting + this.#inFlightBytes,
    };
  }

  get #idle(): boolean {
    return (
      this.#inFlightBytes === 0 &&
      this.#control.length === 0 &&
      mediaOrder.every((type) => this.#media[type].length === 0)
    );
  }

  #flush(): void {
    if (this.#stopped || this.#inFlightBytes > 0) return;
    const batch = this.#takeBatch();
    if (batch.bytes === 0) return;
    this.#inFlightBytes = batch.bytes;
    this.#writeStartedMs = performance.now();
    this.#stallTimer ??= setTimeout(() => this.#checkStall(), this.#options.stallMs).unref();
    const last = batch.pieces.length - 1;
    if (last > 0) this.#socket.cork();
    for (const [index, piece] of batch.pieces.entries()) {
      if (index < last) this.#socket.write(piece);
      else this.#socket.write(piece, () => this.#written(batch));
    }
    if (last > 0) this.#socket.uncork();
  }

  #takeBatch(): Batch {
    const batch: Batch = { pieces: [], bytes: 0, frames: 0 };
    while (this.#control.length > 0 && batch.bytes < batchBytes) {
      const frame = this.#control.shift();
      if (frame === undefined) break;
      this.#controlBytes -= frame.length;
      add(batch, [frame], frame.length);
    }
    for (const type of mediaOrder) {
      const queue = this.#media[type];
      while (queue.length > 0 && batch.bytes < batchBytes) {
        const frame: QueuedFrame | undefined = queue.shift();
        if (frame === undefined) break;
        add(batch, frame.pieces, frame.bytes);
      }
    }
    return batch;
  }

  #written(batch: Batch): void {
    if (this.#stopped) return;
    this.#inFlightBytes = 0;
    this.#framesSent += batch.frames;
    this.#bytesSent += batch.bytes;
    this.#flush();
    if (!this.#idle) return;
    this.#wakeIdleWaiters();
    if (!this.#wantsDrain) return;
    this.#wantsDrain = false;
    this.#options.onDrain();
  }

  /** One timer for all writes: it looks how long the present one has taken and sleeps for the rest. */
  #checkStall(): void {
    this.#stallTimer = undefined;
    if (this.#stopped || this.#inFlightBytes === 0) return;
    const leftMs = this.#writeStartedMs + this.#options.stallMs - performance.now();
    if (leftMs > 0) {
      this.#stallTimer = setTimeout(() => this.#checkStall(), Math.ceil(leftMs)).unref();
      return;
    }
    // After a stall of this process the timer comes before the news that the peer has long read: let that come first.
    const startedMs = this.#writeStartedMs;
    setImmediate(() => {
      if (this.#stopped) return;
      if (this.#inFlightBytes > 0 && this.#writeStartedMs === startedMs) {
        const words = `The peer has not read for ${this.#options.stallMs} ms.`;
        this.#options.onUnhealthy('stalled', words);
      } else if (this.#inFlightBytes > 0) {
        this.#checkStall();
      }
    });
  }

  #wakeIdleWaiters(): void {
    const waiters = this.#idleWaiters;
    this.#idleWaiters = [];
    for (const wake of waiters) wake();
  }
}

/** Sound goes before picture: it is smaller and is missed sooner. */
const mediaOrder = ['opus', 'pcm', 'video', 'picture'] as const;

interface Batch {
  readonly pieces: Uint8Array[];
  bytes: number;
  frames: number;
}

function add(batch: Batch, pieces: readonly Uint8Array[], bytes: number): void {
  batch.pieces.push(...pieces);
  batch.bytes += bytes;
  batch.frames += 1;
}
