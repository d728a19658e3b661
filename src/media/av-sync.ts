/** The longest that the sound is held back, in ms. */
const longestMs = 800;
/** How far the delay moves with a segment, and how far the target sinks without feedback, in ms. */
const stepMs = 160;
const decayAfterMs = 4_000;
/** Viewers it keeps a target for; beyond that those who said nothing the longest make room. */
const maxViewers = 64;

/** What a viewer says: its sound is ahead of its picture. */
export interface AvSyncFeedback {
  /** Id of its session. */
  readonly viewer: string;
  readonly epoch: number;
  /** Mean time in the jitter buffer, picture less sound. */
  readonly deltaMs: number;
  /** How much later than at first its pictures are shown. Of both, what is negative or no number is not taken. */
  readonly excessMs: number;
  readonly nowMs: number;
}

interface Wish {
  targetMs: number;
  /** When it was said, or sank last. */
  sinceMs: number;
}

/**
 * How long the host's sound is held back so that it does not lead the picture. The sound is encoded once for
 * all, so the delay is what the viewer needs who needs most; the others' sound is late by the difference. Call
 * {@link segment} with every segment. Time comes in with the calls (performance.now).
 */
export class AudioDelayTarget {
  readonly #wishes = new Map<string, Wish>();
  #epoch = 0;
  #rate: number | undefined;
  #delayMs = 0;
  #ignored = 0;

  /** What the sound is to be held back by now, in ms: 0–800, changed in steps of 160 at most. */
  get delayMs(): number {
    return this.#delayMs;
  }

  /** Where that is heading. */
  get targetMs(): number {
    let largest = 0;
    for (const { targetMs } of this.#wishes.values()) largest = Math.max(largest, targetMs);
    return largest;
  }

  /** Feedback that meant nothing: of another epoch, or without a number above 0. */
  get ignored(): number {
    return this.#ignored;
  }

  feedback({ viewer, epoch, deltaMs, excessMs, nowMs }: AvSyncFeedback): void {
    const wanted = Math.max(measured(excessMs), measured(deltaMs));
    if (wanted === 0 || epoch !== this.#epoch || !Number.isFinite(nowMs)) {
      this.#ignored += 1;
      return;
    }
    this.#wishes.delete(viewer);
    this.#wishes.set(viewer, { targetMs: Math.min(wanted, longestMs), sinceMs: nowMs });
    const [oldest] = this.#wishes.keys();
    if (this.#wishes.size > maxViewers && oldest !== undefined) this.#wishes.delete(oldest);
  }

  /** A viewer left; it needs nothing any more. */
  leave(viewer: string): void {
    this.#wishes.delete(viewer);
  }

  /**
   * A segment begins. Moves the delay towards its target, and returns it. Another epoch, or another `rate` (of
   * pictures, or whatever makes the segments before no measure of those to come), sets all back to 0. An epoch
   * that goes back is ignored, with its segment.
   */
  segment(segment: {
    readonly epoch: number;
    readonly rate?: number;
    readonly nowMs: number;
  }): number {
    const { epoch, rate, nowMs } = segment;
    if (!(epoch >= this.#epoch)) return this.#delayMs;
    const isOther =
      epoch > this.#epoch ||
      (rate !== undefined && this.#rate !== undefined && rate !== this.#rate);
    this.#epoch = epoch;
    this.#rate = rate ?? this.#rate;
    if (isOther) {
      this.#wishes.clear();
      this.#delayMs = 0;
      return 0;
    }
    this.#decay(nowMs);
    const leftMs = this.targetMs - this.#delayMs;
    this.#delayMs += Math.min(Math.max(leftMs, -stepMs), stepMs);
    return this.#delayMs;
  }

  #decay(nowMs: number): void {
    for (const [viewer, wish] of this.#wishes) {
      const periods = Math.floor((nowMs - wish.sinceMs) / decayAfterMs);
      if (!(periods > 0)) continue;
      wish.targetMs -= periods * stepMs;
      wish.sinceMs += periods * decayAfterMs;
      if (wish.targetMs <= 0) this.#wishes.delete(viewer);
    }
  }
}

/** NaN, infinities and what is negative say nothing: the picture is not late by them. */
function measured(ms: number): number {
  return Number.isFinite(ms) && ms > 0 ? ms : 0;
}
