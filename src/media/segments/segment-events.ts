import type { EarshotError } from '../../errors/earshot-error.ts';
import type { EncodedAudioFrame, EncodedVideoFrame } from '../media-types.ts';

/** Where a segment's samples go; the media hub. */
export interface SegmentSink {
  sound(frame: EncodedAudioFrame): void;
  picture(frame: EncodedVideoFrame): void;
}

/** A segment on its way out. */
export interface SegmentReport {
  readonly epoch: number;
  readonly kind: 'clip';
  readonly hasSound: boolean;
  readonly hasPicture: boolean;
  /** Capture time of its first sample. */
  readonly beginNs: bigint;
  /** What the RTP clocks are advanced by before it, in ms. */
  readonly skippedMs: number;
}

export interface SegmentEnd extends SegmentReport {
  /** The largest lateness of a write, when it is over 20 ms; else 0. */
  readonly slipMs: number;
  /** False when a newer epoch ended it. */
  readonly whole: boolean;
}

/** What is told while segments pass. Nothing it throws is caught. */
export interface SegmentObserver {
  /** Just before the first write. */
  begun?(report: SegmentReport): void;
  /** The picture with which a calibration marker begins was written. */
  marker?(id: number): void;
  ended?(end: SegmentEnd): void;
  /** A segment was not sent, or not to its end: for its epoch or for a fault. */
  dropped?(segment: { readonly epoch: number; readonly marker: number | undefined }): void;
  /** A segment was dropped for a fault; repeated faults are the caller's to count. */
  failed?(error: EarshotError): void;
}

/** Since it was made. Segments dropped for their epoch are counted by where that was seen. */
export interface SegmentCounts {
  readonly published: number;
  readonly staleAtEnqueue: number;
  readonly staleAtEncode: number;
  readonly staleAtPublish: number;
  readonly staleBetweenSamples: number;
  readonly failed: number;
  readonly gapsSkipped: number;
  readonly fences: number;
}
