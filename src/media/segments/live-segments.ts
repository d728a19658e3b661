import type { DeviceMessage } from '../signaling-messages.ts';

/** A segment of the live stream lasts so long. */
const liveSegmentNs = 2_000_000_000n;

export type SegmentKind = 'live' | 'clip';

/** A segment has begun, as the device tells its viewers. */
export interface SegmentDiagnostic {
  readonly epoch: number;
  readonly segment: number;
  readonly kind: SegmentKind;
  /** What the sound is held back by now. */
  readonly audioDelayMs: number;
  /** The largest slip over 20 ms of the segment before it. */
  readonly slipMs: number;
}

export type SegmentMessage = Extract<DeviceMessage, { type: 'av_segment_diagnostic' }>;

/**
 * Cuts what viewers see and hear into numbered segments, for their A/V sync feedback to name: two seconds of
 * the live stream each, and every clip. A segment begins with a picture; without pictures, with the sound.
 */
export class LiveSegments {
  #epoch = 1;
  #segment = 0;
  #kind: SegmentKind = 'live';
  #beganNs: bigint | undefined;
  #lastPictureNs: bigint | undefined;
  #isDue = false;
  #slipMs = 0;

  get epoch(): number {
    return this.#epoch;
  }

  /** Another epoch: the picture's source or rate changed. Numbers begin anew. One that is not newer is ignored. */
  setEpoch(epoch: number): void {
    if (!Number.isSafeInteger(epoch) || epoch <= this.#epoch) return;
    this.#epoch = epoch;
    this.#segment = 0;
    this.#isDue = true;
  }

  /** A clip or the live stream begins with the next picture (or sound, without pictures). */
  change(kind: SegmentKind): void {
    this.#kind = kind;
    this.#isDue = true;
  }

  /** The largest slip of a segment that ended, 0 for none worth telling; the next diagnostic carries it. */
  noteSlip(slipMs: number): void {
    this.#slipMs = Math.max(this.#slipMs, slipMs);
  }

  /** A picture goes out. A diagnostic when a segment begins with it. */
  picture(picture: {
    readonly captureTimeNs: bigint;
    readonly audioDelayMs: number;
  }): SegmentDiagnostic | undefined {
    this.#lastPictureNs = picture.captureTimeNs;
    return this.#step(picture.captureTimeNs, picture.audioDelayMs);
  }

  /** Sound goes out. A diagnostic when a segment begins with it: where there were no pictures for a segment's time. */
  sound(sound: {
    readonly captureTimeNs: bigint;
    readonly audioDelayMs: number;
  }): SegmentDiagnostic | undefined {
    const lastNs = this.#lastPictureNs;
    if (lastNs !== undefined && sound.captureTimeNs - lastNs < 2n * liveSegmentNs) return undefined;
    return this.#step(sound.captureTimeNs, sound.audioDelayMs);
  }

  #step(nowNs: bigint, audioDelayMs: number): SegmentDiagnostic | undefined {
    const isOver = this.#beganNs === undefined || nowNs - this.#beganNs >= liveSegmentNs;
    // A clip is one segment, however long it is.
    if (!this.#isDue && (!isOver || this.#kind === 'clip')) return undefined;
    this.#isDue = false;
    this.#beganNs = nowNs;
    this.#segment += 1;
    const slipMs = this.#slipMs;
    this.#slipMs = 0;
    return {
      ...{ epoch: this.#epoch, segment: this.#segment, kind: this.#kind },
      ...{ audioDelayMs, slipMs },
    };
  }
}

/** The message of one viewer; `videoRtp` is the segment's first picture as it sees it, undefined where it sees none. */
export function segmentMessage(
  { epoch, segment, kind, audioDelayMs, slipMs }: SegmentDiagnostic,
  videoRtp: number | undefined,
): SegmentMessage {
  return {
    type: 'av_segment_diagnostic',
    ...{ epoch, segment, kind },
    video_rtp: videoRtp ?? -1,
    audio_delay_ms: audioDelayMs,
    slip_ms: slipMs,
  };
}
