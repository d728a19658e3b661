import { EventEmitter } from 'node:events';
import { EarshotError, messageOf } from '../errors/earshot-error.ts';
import {
  type CalibrationFormat,
  calibrationCard,
  calibrationClip,
  calibrationFormat,
} from './calibration-clip.ts';
import type { SegmentPipeline } from './segments/segment-pipeline.ts';
import { type SegmentTimers, systemTimers } from './segments/segment-timers.ts';
import { withinDeadline } from './segments/within-deadline.ts';

/** A viewer gets so many markers, one a second, each time that it asks. */
const markersAsked = 8;
/** A marker comes within its clip; the pipeline may hold another segment of 10 s before it. */
const markerDeadlineMs = 15_000;

export interface CalibrationRunOptions {
  readonly pipeline: Pick<SegmentPipeline, 'publish'>;
  /** How clips are made; 640 × 360 at 25 a second by default. */
  readonly format?: CalibrationFormat;
  /** RGB of that size to put markers over; a card with words by default. */
  readonly background?: () => Buffer | undefined;
  readonly timers?: SegmentTimers;
  /** How much later the host's sound gets here than its picture, in ms; clips are made alike. 0 unless told. */
  readonly soundShiftMs?: () => number;
}

export interface CalibrationRunEvents {
  /** The marker is on its way; these viewers asked for it. */
  marker: [{ readonly marker: number; readonly viewers: readonly string[] }];
  /** Clips begin, and are over. */
  running: [boolean];
  /** A run ended early, and why. */
  failed: [EarshotError];
}

/**
 * Puts calibration clips into the stream while a viewer has them on: about one marker a second, eight for each
 * time it asks. The stream is one for all, so every viewer sees them; those who asked are told of each marker.
 * The next clip is made when the marker of the one before is out: early enough that they follow on each other,
 * late enough that little is left to send when the viewer ends it.
 */
export class CalibrationRun extends EventEmitter<CalibrationRunEvents> {
  readonly #options: CalibrationRunOptions;
  readonly #timers: SegmentTimers;
  /** Markers that each viewer has left. */
  readonly #wanted = new Map<string, number>();
  #card: Buffer | undefined;
  #lastMarker = 0;
  #lastSent = 0;
  #awaited: { readonly marker: number; readonly out: () => void } | undefined;
  #running: Promise<void> | undefined;
  readonly #stopped = new AbortController();

  constructor(options: CalibrationRunOptions) {
    super();
    this.#options = options;
    this.#timers = options.timers ?? systemTimers;
  }

  /** A viewer turns it on (again), or off. */
  enable(viewer: string, enabled: boolean): void {
    if (this.#stopped.signal.aborted) return;
    if (!enabled) {
      this.#wanted.delete(viewer);
      return;
    }
    this.#wanted.set(viewer, markersAsked);
    this.#running ??= this.#run();
  }

  /** A viewer left. */
  leave(viewer: string): void {
    this.#wanted.delete(viewer);
  }

  /** True for a marker that was sent, so that a result may name it. */
  knows(marker: number): boolean {
    return marker >= 1 && marker <= this.#lastSent;
  }

  /** The pipeline wrote the first picture of a marker (SegmentObserver.marker). */
  markerOut(marker: number): void {
    if (this.#awaited?.marker !== marker) return;
    this.#lastSent = marker;
    this.emit('marker', { marker, viewers: [...this.#wanted.keys()] });
    this.#count();
  }

  /** The pipeline dropped the clip of a marker (SegmentObserver.dropped); the next one is tried. */
  markerDropped(marker: number): void {
    if (this.#awaited?.marker === marker) this.#count();
  }

  /** The awaited marker is done with. */
  #count(): void {
    this.#awaited?.out();
    this.#awaited = undefined;
    for (const [viewer, left] of this.#wanted) {
      if (left <= 1) this.#wanted.delete(viewer);
      else this.#wanted.set(viewer, left - 1);
    }
  }

  /** Ends it for everyone; resolves when nothing of it is left; idempotent. */
  async stop(): Promise<void> {
    this.#wanted.clear();
    this.#stopped.abort(new EarshotError('MEDIA_SEGMENTS_CLOSED', 'The calibration was stopped.'));
    await this.#running;
  }

  async #run(): Promise<void> {
    this.emit('running', true);
    try {
      while (this.#wanted.size > 0) await this.#next();
    } catch (error) {
      this.#wanted.clear();
      if (!this.#stopped.signal.aborted) this.emit('failed', asEarshotError(error));
    } finally {
      this.#awaited = undefined;
      this.#running = undefined;
      this.emit('running', false);
    }
  }

  async #next(): Promise<void> {
    const { pipeline, format = calibrationFormat, background } = this.#options;
    this.#lastMarker += 1;
    const marker = this.#lastMarker;
    const isOut = new Promise<void>((out) => {
      this.#awaited = { marker, out };
    });
    this.#card ??= calibrationCard(format);
    const still = background?.() ?? this.#card;
    const soundShiftMs = this.#options.soundShiftMs?.() ?? 0;
    const clip = calibrationClip({
      ...{ marker, epoch: 0, format, soundShiftMs },
      background: still,
    });
    await pipeline.publish(clip);
    await withinDeadline(isOut, {
      timers: this.#timers,
      ms: markerDeadlineMs,
      what: `Calibration marker ${marker} was not sent`,
      signal: this.#stopped.signal,
    });
  }
}

function asEarshotError(error: unknown): EarshotError {
  return error instanceof EarshotError
    ? error
    : new EarshotError('MEDIA_SEGMENT_FAILED', `The calibration failed: ${messageOf(error)}`, {
        cause: error,
      });
}
