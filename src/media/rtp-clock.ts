import { maxDtxBytes } from '../audio/opus-packet.ts';

/** RTP time units a second of Opus (RFC 7587 §4.1): always 48,000, whatever the encoder runs at. */
export const opusClockRate = 48_000;

const minGapMs = 40;

export interface RtpClockStep {
  /** Timestamp of the packet, relative to the first one; grows without wrapping. */
  readonly timestamp: number;
  /** The first packet after a pause, a gap or at the start (RFC 3551 §4.1). */
  readonly marker: boolean;
  /** False for a DTX packet after the first of a pause: it is not sent, but its time passes. */
  readonly send: boolean;
  /** Samples by which the clock was advanced over a real gap before this packet; 0 when there was none. */
  readonly skipped: number;
}

/**
 * The RTP clock of the host's sound. It steps exactly by each packet's own samples, so a change of
 * frame length, a mute or a restart leaves no seam. When the wall says that sound is missing — the
 * capture times are apart by more than max(2 frames, 40 ms) beyond what was sent — the whole gap
 * is skipped; at or below that, nothing, so that jitter of the capture clock never shows.
 *
 * The first DTX packet of a pause is sent, although Opus says nothing in it: it tells the decoder that
 * silence is meant. Without it the browser takes the pause for loss and conceals every sample of it.
 */
export class RtpClock {
  #next = 0;
  #started = false;
  /** When the sample at `#next` was or will be captured, if capture goes on without a gap. */
  #nextCaptureNs = 0n;
  #inPause = true;

  step(frame: {
    readonly samples: number;
    readonly bytes: number;
    readonly captureTimeNs: bigint;
  }): RtpClockStep {
    const frameMs = (frame.samples * 1_000) / opusClockRate;
    const gapNs = this.#started ? frame.captureTimeNs - this.#nextCaptureNs : 0n;
    const isGap = gapNs > BigInt(Math.round(Math.max(2 * frameMs, minGapMs) * 1e6));
    const skipped = isGap
      ? Number((gapNs * BigInt(opusClockRate) + 500_000_000n) / 1_000_000_000n)
      : 0;
    const timestamp = this.#next + skipped;
    const silent = frame.bytes <= maxDtxBytes;
    const send = !silent || !this.#inPause;
    const marker = send && (isGap || this.#inPause);
    this.#inPause = silent;
    this.#started = true;
    this.#next = timestamp + frame.samples;
    this.#nextCaptureNs =
      frame.captureTimeNs + (BigInt(frame.samples) * 1_000_000_000n) / BigInt(opusClockRate);
    return { timestamp, marker, send, skipped };
  }
}
