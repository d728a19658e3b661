import type { PipelineStats } from './native/pipeline.ts';

/** A pipeline's numbers without what only concerns its thread. */
export type SourceTotals = Omit<PipelineStats, 'busyMs'>;

export const noTotals: SourceTotals = {
  units: 0,
  bytes: 0,
  keyframes: 0,
  dropped: 0,
  encodeMeanMs: 0,
  encodeMaxMs: 0,
  captureToEncodedMs: 0,
};

/** Counters of pipelines that are over, and of the present one, whose encoder times count alone. */
export function addTotals(before: SourceTotals, now: PipelineStats): SourceTotals {
  return {
    units: before.units + now.units,
    bytes: before.bytes + now.bytes,
    keyframes: before.keyframes + now.keyframes,
    dropped: before.dropped + now.dropped,
    encodeMeanMs: now.encodeMeanMs,
    encodeMaxMs: now.encodeMaxMs,
    captureToEncodedMs: now.captureToEncodedMs,
  };
}

/** Counters with those of a pipeline that ends; its encoder times are nobody's any more. */
export function finished(before: SourceTotals, last: PipelineStats): SourceTotals {
  return { ...addTotals(before, last), encodeMeanMs: 0, encodeMaxMs: 0, captureToEncodedMs: 0 };
}
