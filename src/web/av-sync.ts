import { serialDifference } from './rtp-serial.ts';

/**
 * How far sound and picture are apart in this browser, by the segments that the device names, and when
 * the device is told so. Pure: times come in with the calls.
 */

/** What is worth telling the device: the delta alone, or both together, in so many segments running. */
export const lateThresholds = {
  deltaMs: 220,
  excessMs: 120,
  deltaWithExcessMs: 100,
  segments: 2,
  intervalMs: 1_000,
} as const;

/** A path whose jitter buffers went apart so far does not come back by itself. */
export const poisonedThresholds = {
  deltaMs: 300,
  videoMs: 350,
  audioMs: 160,
  polls: 2,
  intervalMs: 15_000,
} as const;

/** A segment as the device announces it. */
export interface Segment {
  readonly epoch: number;
  readonly segment: number;
  /** RTP time (90 kHz) of the video at which it begins; −1: no video. */
  readonly videoRtp: number;
}

/** Mean times in the jitter buffers, in ms; undefined where nothing was measured. */
export interface BufferTimes {
  readonly videoMs: number | undefined;
  readonly audioMs: number | undefined;
}

/** What one segment came to. */
export interface SegmentSync {
  readonly epoch: number;
  readonly segment: number;
  /** Video less audio. */
  readonly deltaMs: number | undefined;
  /** How much later than in the epoch's first segment pictures were shown; undefined where the browser does not say. */
  readonly excessMs: number | undefined;
  /** The device is to be told. */
  readonly isLate: boolean;
}

/** Pictures of one segment that are looked at: 10 s of 60 a second. */
const lagsMax = 600;

/** 90 kHz (RFC 7741 §4.1, RFC 6184 §5.1). */
const ticksPerMs = 90;

/** Video less audio; undefined unless both are known. NaN is not known. */
export function deltaOf({ videoMs, audioMs }: BufferTimes): number | undefined {
  if (videoMs === undefined || audioMs === undefined) return undefined;
  const delta = videoMs - audioMs;
  return Number.isFinite(delta) ? delta : undefined;
}

function isLate({ deltaMs, excessMs }: Pick<SegmentSync, 'deltaMs' | 'excessMs'>): boolean {
  if (deltaMs === undefined) return false;
  if (deltaMs >= lateThresholds.deltaMs) return true;
  const { excessMs: excess, deltaWithExcessMs } = lateThresholds;
  return excessMs !== undefined && excessMs >= excess && deltaMs >= deltaWithExcessMs;
}

function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

/**
 * Follows the segments. A segment is measured from its announcement to the next one, by what was played
 * and shown meanwhile. The lag of a picture is when it was shown less its RTP time; the RTP clock runs
 * with real time across all segments of an epoch, so only changes of the lag mean anything.
 */
export class AvSync {
  #current: Segment | undefined;
  /** RTP time that lags of this epoch are counted from. */
  #originRtp: number | undefined;
  #lags: number[] = [];
  #firstLagMs: number | undefined;
  #lateRunning = 0;
  #lastSentMs = Number.NEGATIVE_INFINITY;

  /** A picture of RTP time `rtp` is on the display at `displayedMs`. */
  shown(rtp: number, displayedMs: number): void {
    if (this.#originRtp === undefined || !Number.isFinite(displayedMs)) return;
    const sinceOrigin = serialDifference(rtp, this.#originRtp);
    // Still of an older epoch.
    if (sinceOrigin < 0 || this.#lags.length >= lagsMax) return;
    this.#lags.push(displayedMs - sinceOrigin / ticksPerMs);
  }

  /**
   * `next` begins; `times` are of what was played since the last call. What the segment before it came
   * to, unless there was none.
   */
  begin(next: Segment, times: BufferTimes, nowMs: number): SegmentSync | undefined {
    const done = this.#current;
    // An older epoch, or the same segment again: nothing that began.
    if (done !== undefined && !isAfter(next, done)) return undefined;
    const result = done === undefined ? undefined : this.#finish(done, times, nowMs);
    if (next.epoch !== done?.epoch) this.#beginEpoch(next);
    this.#originRtp ??= next.videoRtp >= 0 ? next.videoRtp : undefined;
    this.#current = next;
    this.#lags = [];
    return result;
  }

  /** Another connection: whatever was measured says nothing of it. */
  reset(): void {
    this.#current = undefined;
    this.#originRtp = undefined;
    this.#firstLagMs = undefined;
    this.#lags = [];
    this.#lateRunning = 0;
  }

  #beginEpoch({ videoRtp }: Segment): void {
    this.#originRtp = videoRtp >= 0 ? videoRtp : undefined;
    this.#firstLagMs = undefined;
    this.#lateRunning = 0;
  }

  #finish({ epoch, segment }: Segment, times: BufferTimes, nowMs: number): SegmentSync {
    const lagMs = median(this.#lags);
    this.#firstLagMs ??= lagMs;
    const deltaMs = deltaOf(times);
    const excessMs =
      lagMs === undefined || this.#firstLagMs === undefined ? undefined : lagMs - this.#firstLagMs;
    this.#lateRunning = isLate({ deltaMs, excessMs }) ? this.#lateRunning + 1 : 0;
    const isToSend =
      this.#lateRunning >= lateThresholds.segments &&
      nowMs - this.#lastSentMs >= lateThresholds.intervalMs;
    if (isToSend) this.#lastSentMs = nowMs;
    return { epoch, segment, deltaMs, excessMs, isLate: isToSend };
  }
}

/** Epochs only grow, and segments within one. */
function isAfter(next: Segment, last: Segment): boolean {
  return next.epoch === last.epoch ? next.segment > last.segment : next.epoch > last.epoch;
}

/** Tells a poisoned media path by its jitter buffers, asked once a second. */
export class PoisonedPath {
  #polls = 0;
  #lastResetMs = Number.NEGATIVE_INFINITY;

  /** Whether the path is to be built anew. */
  poll(times: BufferTimes, nowMs: number): boolean {
    const { deltaMs, videoMs, audioMs, polls, intervalMs } = poisonedThresholds;
    const delta = deltaOf(times);
    const isPoisoned =
      delta !== undefined &&
      delta >= deltaMs &&
      (times.videoMs ?? 0) >= videoMs &&
      (times.audioMs ?? Number.POSITIVE_INFINITY) <= audioMs;
    this.#polls = isPoisoned ? this.#polls + 1 : 0;
    if (this.#polls < polls || nowMs - this.#lastResetMs < intervalMs) return false;
    this.#polls = 0;
    this.#lastResetMs = nowMs;
    return true;
  }
}
