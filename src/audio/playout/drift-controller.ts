export interface DriftControllerOptions {
  /** The most correction, in parts per million; 1,000 unless told (0.1 %: 1.7 cents, not heard). */
  readonly maxPpm?: number;
}

/** The level that is steered by: mean of about a second, so that the steps of packets and periods are gone. */
const smoothingS = 1;
/** An error is mended in about this time. */
const settleS = 20;
/** What stretching mends in blocks is not answered with pitch. */
const mostErrorMs = 10;
/** Change of pitch a second. */
const slewPpmPerS = 50;
/** A pause in updates after which the level has to be learned anew: an outage, or nothing played. */
const pauseMs = 1_000;

/**
 * Holds the level of a playout buffer by resampling: a proportional-integral controller, critically
 * damped. The buffer integrates the clocks' difference, so the integral part ends at exactly that: it is
 * the measured drift. A few multiplications an update; allocates nothing.
 */
export class DriftController {
  readonly #maxPpm: number;
  #ppm = 0;
  #driftPpm = 0;
  #smoothedMs = 0;
  #updatedMs = Number.NEGATIVE_INFINITY;

  constructor({ maxPpm = 1_000 }: DriftControllerOptions = {}) {
    this.#maxPpm = maxPpm;
  }

  /** The correction in force: positive plays faster, because the sender's clock is. */
  get ppm(): number {
    return this.#ppm;
  }

  /** How much faster the sender's clock is found to run than the sound card's. */
  get driftPpm(): number {
    return this.#driftPpm;
  }

  /**
   * To be called a few times a second or more, while sound plays; not in an outage.
   * Returns the correction in parts per million.
   */
  update(at: { nowMs: number; levelMs: number; targetMs: number }): number {
    const errorMs = at.levelMs - at.targetMs;
    const passedMs = at.nowMs - this.#updatedMs;
    this.#updatedMs = at.nowMs;
    if (!(passedMs <= pauseMs)) {
      this.#smoothedMs = errorMs;
      return this.#ppm;
    }
    const passedS = Math.max(passedMs, 0) / 1_000;
    this.#smoothedMs += (errorMs - this.#smoothedMs) * Math.min(passedS / smoothingS, 1);
    const error = clamp(this.#smoothedMs, mostErrorMs);
    const gain = 1_000 / settleS;
    if (Math.abs(this.#smoothedMs) < mostErrorMs) {
      const integral = this.#driftPpm + ((error * gain) / (4 * settleS)) * passedS;
      this.#driftPpm = clamp(integral, this.#maxPpm);
    }
    const wanted = clamp(this.#driftPpm + error * gain, this.#maxPpm);
    this.#ppm += clamp(wanted - this.#ppm, slewPpmPerS * passedS);
    return this.#ppm;
  }

  /** Forgets everything: another sender, or another sound card. */
  reset(): void {
    this.#ppm = 0;
    this.#driftPpm = 0;
    this.#smoothedMs = 0;
    this.#updatedMs = Number.NEGATIVE_INFINITY;
  }
}

function clamp(value: number, limit: number): number {
  return Math.min(Math.max(value, -limit), limit);
}
