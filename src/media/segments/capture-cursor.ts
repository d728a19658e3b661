/** A wall gap of so much at least is skipped; below it, or below two frames, nothing is. */
const minGapNs = 40_000_000n;

export interface SegmentBegin {
  /** The capture time of the segment's first sample. */
  readonly beginNs: bigint;
  /** What both RTP clocks are advanced by, beyond what was sent; 0 when it follows on the one before. */
  readonly skippedNs: bigint;
  /** It begins where the one before ended. */
  readonly follows: boolean;
}

/**
 * Where segments lie in time. RTP clocks are steered by capture times alone (rtp-clock.ts, video-clock.ts): a
 * segment that follows on the one before gets the capture times right after it, so that both clocks step by
 * their frames and by nothing else, and one that comes after a gap begins now, so that both are advanced by the
 * whole of it.
 */
export class CaptureCursor {
  #nextNs: bigint | undefined;

  /** When a segment of frames of `frameNs` begins. A gap is the wall time since all before it was over. */
  begin({ nowNs, frameNs }: { readonly nowNs: bigint; readonly frameNs: bigint }): SegmentBegin {
    if (this.#nextNs === undefined) return { beginNs: nowNs, skippedNs: 0n, follows: false };
    const gapNs = nowNs - this.#nextNs;
    const longest = 2n * frameNs > minGapNs ? 2n * frameNs : minGapNs;
    if (gapNs > longest) return { beginNs: nowNs, skippedNs: gapNs, follows: false };
    return { beginNs: this.#nextNs, skippedNs: 0n, follows: true };
  }

  /** What was sent is over at `endNs`. */
  end(endNs: bigint): void {
    this.#nextNs = endNs;
  }
}
