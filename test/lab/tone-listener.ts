import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Card } from './card-delay.ts';
import { endRecording, recordRaw } from './card-recorder.ts';
import { type Interruption, ToneWatch } from './tone-watch.ts';

/** Listens to the tone that a card of the lab plays, for hours if need be. */

/** An interruption on the clock of performance.now(). */
export interface HeardInterruption extends Interruption {
  readonly fromMs: number;
  readonly toMs: number;
}

const bytesPerSample = 4;
const samplesPerMs = 48;
const startDeadlineMs = 10_000;

/** Blocks come at most so much later than the earliest: what is beyond was lost on the way to the listener. */
const slipMs = 8;

/** A block that comes so much later than the earliest: the machine did not let the card or the listener run. */
const stallMs = 25;

export class ToneListener {
  readonly #card: Card;
  readonly #watch = new ToneWatch();
  #process: ChildProcess | undefined;
  #rest = Buffer.alloc(0);
  #samples = 0;
  #earliestMs = Number.POSITIVE_INFINITY;
  #recentMs = Number.POSITIVE_INFINITY;
  #recentFrom = 0;
  #slips = 0;
  #stalls = 0;
  #stalled = false;

  constructor(card: Card) {
    this.#card = card;
  }

  /** Begins; resolves with the first samples. The tone must be playing. */
  async start(): Promise<void> {
    const { server, sink } = this.#card;
    const child = recordRaw(server, server.monitorName(sink));
    this.#process = child;
    child.stdout.on('data', (chunk: Buffer) => this.#take(chunk));
    await once(child.stdout, 'data', { signal: AbortSignal.timeout(startDeadlineMs) });
  }

  /** Ends it; idempotent. */
  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined) return;
    await endRecording(child);
    this.#watch.finish();
  }

  /** The interruptions heard, in order. */
  get heard(): HeardInterruption[] {
    return this.#watch.found.map((found) => ({
      ...found,
      fromMs: this.#earliestMs + found.fromMs,
      toMs: this.#earliestMs + found.toMs,
    }));
  }

  /** How many there were; `heard` holds the first thousand. */
  get count(): number {
    return this.#watch.count;
  }

  /** Times the listener itself missed samples: the lab's own fault. */
  get slips(): number {
    return this.#slips;
  }

  /** Times that blocks came late, by 25 ms or more: what plays at that time may have been let wait too. */
  get stalls(): number {
    return this.#stalls;
  }

  get watchedMs(): number {
    return this.#watch.watchedMs;
  }

  #take(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const samples = Math.floor(bytes.length / bytesPerSample);
    // A copy of its own: a pooled buffer need not begin at an even address.
    const pcm = new Int16Array(samples * 2);
    Buffer.from(pcm.buffer).set(bytes.subarray(0, pcm.byteLength));
    this.#rest = Buffer.from(bytes.subarray(pcm.byteLength));
    this.#samples += samples;
    this.#watch.push(pcm, 2);
    this.#noteClock();
  }

  /** The earliest block of every second tells whether samples are missing: none can come too early. */
  #noteClock(): void {
    const beganMs = performance.now() - this.#samples / samplesPerMs;
    this.#earliestMs = Math.min(this.#earliestMs, beganMs);
    this.#recentMs = Math.min(this.#recentMs, beganMs);
    const late = beganMs - this.#earliestMs > stallMs;
    if (late && !this.#stalled) this.#stalls += 1;
    this.#stalled = late;
    if (this.#samples - this.#recentFrom < 1_000 * samplesPerMs) return;
    if (this.#recentMs - this.#earliestMs > slipMs) {
      this.#slips += 1;
      this.#earliestMs = this.#recentMs;
    }
    this.#recentMs = Number.POSITIVE_INFINITY;
    this.#recentFrom = this.#samples;
  }
}
