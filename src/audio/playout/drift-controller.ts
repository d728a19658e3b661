export interface DriftControllerOptions {
  /** The most correction, in parts per million; 1,000 unless told (0.1 %: 1.7 cents, not heard). */
  readonly maxPpm?: number;
}

export interface DriftObservation {
  readonly nowMs: number;
  /** The delay there is, and the delay aimed at. */
  readonly levelMs: number;
  readonly targetMs: number;
  /**
   * How much of the level's change so far was made on purpose (`JitterBuffer.adjustedMs`), so that it is
   * not taken for drift. Without it, every sudden change is taken for one made on purpose.
   */
  readonly adjustedMs?: number;
}

/** The error that is steered by: mean of about a second, so that the steps of packets and periods are gone. */
const smoothingS = 1;
/** An error is mended in about this time. */
const settleS = 10;
/** What stretching mends in blocks is not answered with more pitch. */
const mostErrorMs = 8;
/** Change of pitch a second. */
const slewPpmPerS = 100;
/** Time constant of the measurement: short at first, then long enough that 1 ms of noise is 10 ppm. */
const firstMeasureS = 10;
const lastMeasureS = 90;
/** A change within one update that no drift makes. */
const suddenMs = 2;
/** A difference from what the drift so far foretold that is no noise: another way through the network. */
const otherWayMs = 20;
/** The most that a difference counts for, in ms per second of the measurement's time constant: a machine that stalls makes larger ones. */
const mostOffMsPerS = 0.2;
/** A pause in updates after which nothing can be said about what was between. */
const pauseMs = 1_000;

/**
 * Holds the level of a playout buffer by resampling. The drift is measured, not found by integrating the
 * error: underruns push the level one way only, and an integrator would wind up on them. What is left
 * of an error is mended in proportion. A dozen multiplications an update; allocates nothing.
 */
export class DriftController {
  readonly #maxPpm: number;
  #ppm = 0;
  #driftPpm = 0;
  #errorMs = 0;
  #updatedMs = Number.NEGATIVE_INFINITY;
  #measuredS = 0;
  #lastLevelMs = 0;
  /** Sudden changes found here, where nobody tells of them. */
  #foundMs = 0;
  /** What the corrections so far have taken out of the level. */
  #correctedMs = 0;
  /** The level as the clocks alone would have moved it, tracked; relative, so that it stays small enough. */
  #courseMs = 0;
  /** How far the level was from that course. */
  #offMs = 0;

  constructor({ maxPpm = 1_000 }: DriftControllerOptions = {}) {
    this.#maxPpm = maxPpm;
  }

  /** The correction in force: positive plays faster, because the sender's clock is faster. */
  get ppm(): number {
    return this.#ppm;
  }

  /** How much faster the sender's clock is found to run than the sound card's. */
  get driftPpm(): number {
    return this.#driftPpm;
  }

  /**
   * To be called several times a second while sound plays; not while there is none.
   * Returns the correction in parts per million.
   */
  update(at: DriftObservation): number {
    const passedMs = at.nowMs - this.#updatedMs;
    const errorMs = at.levelMs - at.targetMs;
    const resumed = !(passedMs >= 0 && passedMs <= pauseMs);
    this.#updatedMs = at.nowMs;
    const passedS = resumed ? 0 : passedMs / 1_000;
    this.#correctedMs += (this.#ppm / 1_000) * passedS;
    this.#measure(this.#naturalMs(at), passedS, resumed);
    this.#errorMs += (errorMs - this.#errorMs) * (resumed ? 1 : Math.min(passedS / smoothingS, 1));
    const mendingPpm = (clamp(this.#errorMs, mostErrorMs) * 1_000) / settleS;
    const wanted = clamp(this.#driftPpm + mendingPpm, this.#maxPpm);
    this.#ppm += clamp(wanted - this.#ppm, slewPpmPerS * passedS);
    return this.#ppm;
  }

  /** The sound card stood still, or was given nothing: how far the level moved meanwhile is no drift. */
  interrupt(): void {
    this.#updatedMs = Number.NEGATIVE_INFINITY;
  }

  /** Forgets everything: another sender, or another sound card. */
  reset(): void {
    this.#ppm = 0;
    this.#driftPpm = 0;
    this.#measuredS = 0;
    this.#offMs = 0;
    this.interrupt();
  }

  #naturalMs({ levelMs, adjustedMs }: DriftObservation): number {
    const stepMs = levelMs - this.#lastLevelMs;
    this.#lastLevelMs = levelMs;
    if (adjustedMs === undefined && Math.abs(stepMs) > suddenMs) this.#foundMs += stepMs;
    return levelMs - (adjustedMs ?? this.#foundMs) + this.#correctedMs;
  }

  /** A tracking loop of second order, critically damped: its speed is the drift. */
  #measure(naturalMs: number, passedS: number, resumed: boolean): void {
    this.#courseMs += (this.#driftPpm / 1_000) * passedS;
    const offMs = naturalMs - this.#courseMs;
    if (resumed || Math.abs(offMs) > otherWayMs) {
      // It did not jump there but crept: what was measured so far is wrong.
      if (!resumed && Math.abs(this.#offMs) > otherWayMs / 2) this.#measuredS = 0;
      this.#courseMs = naturalMs;
      this.#offMs = 0;
      return;
    }
    this.#offMs = offMs;
    this.#measuredS += passedS;
    const measureS = Math.min(Math.max(this.#measuredS / 2, firstMeasureS), lastMeasureS);
    this.#courseMs += ((2 * offMs) / measureS) * passedS;
    const countedMs = clamp(offMs, mostOffMsPerS * measureS);
    const drift = this.#driftPpm + ((countedMs * 1_000) / measureS ** 2) * passedS;
    this.#driftPpm = clamp(drift, this.#maxPpm);
  }
}

function clamp(value: number, limit: number): number {
  return Math.min(Math.max(value, -limit), limit);
}
