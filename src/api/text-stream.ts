import type { ServerResponse } from 'node:http';
import { EarshotError } from '../errors/earshot-error.ts';
import type { ApiCounts } from './api-counts.ts';

export interface TextStreamLimits {
  /** Streams of one kind open at once. */
  readonly maxStreams: number;
  /** Bytes that may wait for a reader before it is dropped. */
  readonly maxQueuedBytes: number;
  /** How often a comment or empty line shows both ends that the other is there, in ms. */
  readonly keepAliveMs: number;
}

export const defaultStreamLimits: TextStreamLimits = {
  maxStreams: 32,
  maxQueuedBytes: 256 * 1024,
  keepAliveMs: 15_000,
};

/** One answer that goes on until somebody ends it. */
export interface TextStream {
  /** Sends `text`; a reader for whom too much waits already is dropped and counted. */
  write(text: string): void;
  /** Ends the answer after what was written. */
  end(): void;
}

/**
 * The long answers of one kind (events, or log lines). Text is written past Hono, straight to the
 * response: what waits there is what the reader left unread, so the bound is exact.
 */
export class TextStreams {
  readonly #limits: TextStreamLimits;
  readonly #counts: ApiCounts;
  readonly #keepAlive: string;
  readonly #open = new Set<{ readonly outgoing: ServerResponse; readonly close: () => void }>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: {
    readonly limits: TextStreamLimits;
    readonly counts: ApiCounts;
    /** What is sent when nothing else is: a comment of the format. */
    readonly keepAlive: string;
  }) {
    this.#limits = options.limits;
    this.#counts = options.counts;
    this.#keepAlive = options.keepAlive;
  }

  get size(): number {
    return this.#open.size;
  }

  /**
   * Begins an answer. `onClose` is called once, when the reader left, was dropped, or the server
   * stops. Throws API_TOO_MANY_STREAMS.
   */
  open(
    outgoing: ServerResponse,
    { contentType, onClose }: { readonly contentType: string; readonly onClose: () => void },
  ): TextStream {
    if (this.#open.size >= this.#limits.maxStreams) {
      throw new EarshotError(
        'API_TOO_MANY_STREAMS',
        `${this.#limits.maxStreams} streams are open, which is all the server allows; close one first.`,
      );
    }
    const entry = { outgoing, close: onClose };
    this.#open.add(entry);
    this.#counts.streamsOpen += 1;
    this.#counts.streamsTotal += 1;
    outgoing.once('close', () => {
      if (!this.#open.delete(entry)) return;
      this.#counts.streamsOpen -= 1;
      if (this.#open.size === 0) this.#stopTimer();
      onClose();
    });
    outgoing.writeHead(200, {
      'content-type': contentType,
      'x-accel-buffering': 'no',
    });
    outgoing.flushHeaders();
    this.#timer ??= setInterval(() => this.writeAll(this.#keepAlive), this.#limits.keepAliveMs);
    return { write: (text) => this.#write(outgoing, text), end: () => outgoing.end() };
  }

  /** Sends `text` to every reader. */
  writeAll(text: string): void {
    for (const { outgoing } of this.#open) this.#write(outgoing, text);
  }

  /** Ends every answer. */
  stop(): void {
    this.#stopTimer();
    for (const { outgoing } of this.#open) outgoing.end();
  }

  #write(outgoing: ServerResponse, text: string): void {
    if (outgoing.destroyed || outgoing.writableEnded) return;
    if (outgoing.writableLength > this.#limits.maxQueuedBytes) {
      this.#counts.streamsDropped += 1;
      outgoing.destroy();
      return;
    }
    outgoing.write(text);
  }

  #stopTimer(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
