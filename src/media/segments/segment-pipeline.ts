import { EarshotError, messageOf } from '../../errors/earshot-error.ts';
import { CaptureCursor } from './capture-cursor.ts';
import { type EncodedSegment, encodeSegment } from './encode-segment.ts';
import { type ScheduledWrite, scheduleOf } from './schedule.ts';
import { checkSegment, type Segment } from './segment.ts';
import type { SegmentEncoders } from './segment-encoders.ts';
import type {
  SegmentCounts,
  SegmentObserver,
  SegmentReport,
  SegmentSink,
} from './segment-events.ts';
import { type Paced, SegmentPacer } from './segment-pacer.ts';
import { type SegmentTimers, systemTimers } from './segment-timers.ts';
import { closedError, StageSlot } from './stage-slot.ts';
import { withinDeadline } from './within-deadline.ts';

export interface SegmentPipelineOptions {
  readonly encoders: SegmentEncoders;
  readonly sink: SegmentSink;
  readonly observer?: SegmentObserver;
  readonly timers?: SegmentTimers;
  /** How long a segment may take to encode, in ms; 10,000 by default. */
  readonly encodeDeadlineMs?: number;
}

/** How long a segment or a fence waits for room, and a fence to pass, in ms. */
export const segmentWaitMs = 10_000;
/** A lateness up to this is a timer's, and not reported. */
const slipReportMs = 20;
const stale = Symbol('stale');

interface Fence {
  readonly pass: () => void;
}
type Queued = { readonly segment: Segment } | { readonly fence: Fence };
type Encoded = EncodedSegment | { readonly fence: Fence };

/**
 * Clips on their way to the viewers: a queue of one, the encoders, a queue of one, and a publisher that writes
 * each sample at its deadline. Segments of an epoch older than the newest are dropped wherever they are, and
 * counted. A fault of a segment drops that segment; the next one is tried.
 *
 * INVARIANTS: at most one segment is in each queue and in each stage; segments and fences keep their order;
 * nothing waits without a deadline but a stage for work.
 */
export class SegmentPipeline {
  readonly #options: SegmentPipelineOptions;
  readonly #timers: SegmentTimers;
  readonly #input: StageSlot<Queued>;
  readonly #output: StageSlot<Encoded>;
  readonly #pacer: SegmentPacer;
  readonly #cursor = new CaptureCursor();
  readonly #closed = new AbortController();
  /** Both stages, once there is something for them. */
  #stages: Promise<unknown> | undefined;
  #epoch = 0;
  #encoding: { readonly epoch: number; readonly abort: AbortController } | undefined;
  readonly #counts = {
    published: 0,
    staleAtEnqueue: 0,
    staleAtEncode: 0,
    staleAtPublish: 0,
    staleBetweenSamples: 0,
    failed: 0,
    gapsSkipped: 0,
    fences: 0,
  };

  constructor(options: SegmentPipelineOptions) {
    this.#options = options;
    this.#timers = options.timers ?? systemTimers;
    this.#input = new StageSlot('encoded', this.#timers);
    this.#output = new StageSlot('published', this.#timers);
    this.#pacer = new SegmentPacer(this.#timers);
  }

  /** The newest epoch there was. */
  get epoch(): number {
    return this.#epoch;
  }

  counts(): SegmentCounts {
    return { ...this.#counts };
  }

  /** Segments of an older epoch are dropped from now on. One that is not newer is ignored, and 0. */
  setEpoch(epoch: number): void {
    if (!Number.isSafeInteger(epoch) || epoch <= this.#epoch) return;
    this.#epoch = epoch;
    if (this.#encoding !== undefined && this.#encoding.epoch < epoch) {
      this.#encoding.abort.abort(stale);
    }
    this.#pacer.interrupt();
  }

  /**
   * Resolves with 'queued' as soon as the queue has the segment (so a caller who waits for it makes clips no
   * faster than they go out), with 'stale' when its epoch is an older one; a newer one becomes the newest.
   * Rejects with MEDIA_SEGMENT_INVALID, MEDIA_SEGMENT_TIMEOUT after 10 s without room, MEDIA_SEGMENTS_BUSY when
   * eight callers wait already, MEDIA_SEGMENTS_CLOSED.
   */
  async publish(segment: Segment): Promise<'queued' | 'stale'> {
    checkSegment(segment);
    const epoch = segment.epoch === 0 ? this.#epoch : segment.epoch;
    if (epoch < this.#epoch) {
      this.#counts.staleAtEnqueue += 1;
      return 'stale';
    }
    this.setEpoch(epoch);
    await this.#enqueue({ segment: { ...segment, epoch } });
    return 'queued';
  }

  /** Publishes sound without pictures: 48 kHz stereo, interleaved. As {@link publish}. */
  publishAudio(pcm: Int16Array, { epoch = 0 } = {}): Promise<'queued' | 'stale'> {
    return this.publish({
      ...{ epoch, kind: 'clip', framesPerSecond: 0, width: 0, height: 0, pictures: [], pcm },
    });
  }

  /**
   * Resolves when everything published before it has been sent or dropped: an empty segment that passes both
   * stages. Rejects with MEDIA_SEGMENT_TIMEOUT when it finds no room within 10 s, or does not pass in 10 s
   * more, MEDIA_SEGMENTS_BUSY, MEDIA_SEGMENTS_CLOSED.
   */
  async fence(): Promise<void> {
    let pass = (): void => {};
    const passed = new Promise<void>((resolve) => {
      pass = resolve;
    });
    await this.#enqueue({ fence: { pass } });
    await withinDeadline(passed, {
      timers: this.#timers,
      ms: segmentWaitMs,
      what: 'The fence did not pass the segments before it',
      signal: this.#closed.signal,
    });
    this.#counts.fences += 1;
  }

  /** Drops what is under way, refuses who waits, and resolves when both stages have ended; idempotent. */
  async close(): Promise<void> {
    this.#closed.abort(closedError());
    this.#input.close();
    this.#output.close();
    this.#encoding?.abort.abort(closedError());
    this.#pacer.interrupt();
    await this.#stages;
  }

  #enqueue(queued: Queued): Promise<void> {
    if (!this.#closed.signal.aborted) {
      this.#stages ??= Promise.all([this.#encodeAll(), this.#publishAll()]);
    }
    return this.#input.put(queued, segmentWaitMs);
  }

  async #encodeAll(): Promise<void> {
    for (;;) {
      const queued = await this.#input.take();
      if (queued === undefined) return;
      const encoded = 'fence' in queued ? queued : await this.#encode(queued.segment);
      if (encoded === undefined) continue;
      // The publisher always takes: a segment lasts 10 s at most.
      const isOpen = await this.#output.put(encoded).then(
        () => true,
        () => false,
      );
      if (!isOpen) return;
    }
  }

  /** Undefined when it was dropped. */
  async #encode(segment: Segment): Promise<EncodedSegment | undefined> {
    if (this.#isStale(segment)) {
      this.#counts.staleAtEncode += 1;
      this.#dropped(segment);
      return undefined;
    }
    const abort = new AbortController();
    this.#encoding = { epoch: segment.epoch, abort };
    try {
      return await withinDeadline(encodeSegment(this.#options.encoders, segment, abort.signal), {
        timers: this.#timers,
        ms: this.#options.encodeDeadlineMs ?? 10_000,
        what: 'The segment was not encoded',
        signal: abort.signal,
      });
    } catch (error) {
      if (this.#isStale(segment)) this.#counts.staleAtEncode += 1;
      else this.#fail(error);
      this.#dropped(segment);
      return undefined;
    } finally {
      this.#encoding = undefined;
      // One of the two may still be at work when the other failed.
      abort.abort(stale);
    }
  }

  async #publishAll(): Promise<void> {
    for (;;) {
      const encoded = await this.#output.take();
      if (encoded === undefined) return;
      if ('fence' in encoded) encoded.fence.pass();
      else if (!this.#isStale(encoded.segment)) await this.#pace(encoded);
      else {
        this.#counts.staleAtPublish += 1;
        this.#dropped(encoded.segment);
      }
    }
  }

  async #pace({ segment, sounds, pictures }: EncodedSegment): Promise<void> {
    const { observer } = this.#options;
    const { framesPerSecond, epoch, kind } = segment;
    const { writes, lengthNs } = scheduleOf({ sounds, pictures, framesPerSecond });
    const frameNs = pictures.length === 0 ? 0n : BigInt(Math.round(1e9 / framesPerSecond));
    const nowNs = this.#timers.nowNs();
    const { beginNs, skippedNs, follows } = this.#cursor.begin({ nowNs, frameNs });
    if (skippedNs > 0n) this.#counts.gapsSkipped += 1;
    const report: SegmentReport = {
      ...{ epoch, kind, beginNs, skippedMs: Number(skippedNs) / 1e6 },
      ...{ hasSound: sounds.length > 0, hasPicture: pictures.length > 0 },
    };
    const goesOn = (): boolean => !this.#closed.signal.aborted && !this.#isStale(segment);
    observer?.begun?.(report);
    let paced: Paced | undefined;
    let written = 0;
    try {
      paced = await this.#pacer.run({
        ...{ writes, beginNs, goesOn },
        write: (write, captureTimeNs) => {
          this.#write({ write, captureTimeNs, segment, follows });
          written += 1;
        },
      });
    } catch (error) {
      this.#fail(error);
    }
    const stop = writes[written]?.offsetNs ?? lengthNs;
    this.#cursor.end(beginNs + (paced?.stalledNs ?? 0n) + stop);
    const whole = written === writes.length;
    if (whole) this.#counts.published += 1;
    else if (this.#isStale(segment)) this.#counts.staleBetweenSamples += 1;
    const slipMs = paced?.slipMs ?? 0;
    observer?.ended?.({ ...report, whole, slipMs: slipMs > slipReportMs ? slipMs : 0 });
    if (!whole) this.#dropped(segment);
  }

  #write(next: {
    readonly write: ScheduledWrite;
    readonly captureTimeNs: bigint;
    readonly segment: Segment;
    readonly follows: boolean;
  }): void {
    const { write, captureTimeNs, segment, follows } = next;
    const { sink, observer } = this.#options;
    const discontinuity = !follows && write.offsetNs === 0n;
    if (write.kind === 'sound') {
      sink.sound({ ...write.sound, captureTimeNs, discontinuity });
      return;
    }
    sink.picture({ ...write.picture, captureTimeNs, discontinuity });
    if (segment.marker?.picture === write.index) observer?.marker?.(segment.marker.id);
  }

  #isStale(segment: Segment): boolean {
    return segment.epoch < this.#epoch;
  }

  #dropped({ epoch, marker }: Segment): void {
    if (this.#closed.signal.aborted) return;
    this.#options.observer?.dropped?.({ epoch, marker: marker?.id });
  }

  #fail(error: unknown): void {
    if (this.#closed.signal.aborted) return;
    this.#counts.failed += 1;
    const known =
      error instanceof EarshotError
        ? error
        : new EarshotError('MEDIA_SEGMENT_FAILED', `The segment failed: ${messageOf(error)}`, {
            cause: error,
          });
    this.#options.observer?.failed?.(known);
  }
}
