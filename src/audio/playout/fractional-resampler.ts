/** Places between two samples for which the filter is worked out; between those it is interpolated. */
const phases = 512;
/** Samples on either side that a sample is made of, where the output's rate is no lower. */
const leastReach = 8;
/** Of Kaiser's window: about 70 dB. */
const kaiserBeta = 7;
/** When the output's rate is lower, this share of its band is kept. */
const keptBand = 0.94;
const inputRateHz = 48_000;

/** Where samples are taken from. */
interface Planar {
  readonly left: Float32Array;
  readonly right: Float32Array;
}

/**
 * 48 kHz stereo to the output's rate, a little faster or slower as told: a windowed sinc at the place
 * where each sample should be. The place goes on from call to call whatever the ratio, so that a change
 * is never heard; at 48 kHz without correction samples go through as they are. 16 taps near 1:1, more
 * where the rate is lower. About 5 µs for 128 frames; allocates nothing.
 */
export class FractionalResampler {
  /** Samples that are looked ahead, and back: at most 64. */
  readonly reach: number;
  readonly #filter: Float32Array;
  readonly #ratio: number;
  #step: number;
  #fraction = 0;

  /** `sampleRate`: of the output, 8,000–384,000 Hz. */
  constructor({ sampleRate }: { sampleRate: number }) {
    const band = sampleRate < inputRateHz ? (sampleRate / inputRateHz) * keptBand : 1;
    this.reach = Math.min(Math.ceil(leastReach / band), 64);
    this.#filter = filterBank(this.reach, band);
    this.#ratio = inputRateHz / sampleRate;
    this.#step = this.#ratio;
  }

  /** How far between the sample at `at` and the one after it the next output sample lies, 0–1. */
  get fraction(): number {
    return this.#fraction;
  }

  /** Positive: sound is used up faster. */
  setPpm(ppm: number): void {
    this.#step = this.#ratio * (1 + ppm / 1e6);
  }

  /** Samples from the place on that have to be there for so many output frames. */
  needs(frames: number): number {
    return Math.floor(this.#fraction + (frames - 1) * this.#step) + this.reach + 1;
  }

  /**
   * Makes `frames` into `left` and `right` from `from` on, of the sound at `at`. Returns the samples used
   * up: the next call's `at` is so much further. Not an options object: it would be garbage, 375 times a second.
   */
  process(
    source: Planar,
    at: number,
    left: Float32Array,
    right: Float32Array,
    from: number,
    frames: number,
  ): number {
    const { left: sourceLeft, right: sourceRight } = source;
    const filter = this.#filter;
    const taps = 2 * this.reach;
    const step = this.#step;
    let place = this.#fraction;
    let whole = at - this.reach + 1;
    for (let frame = from; frame < from + frames; frame += 1) {
      const phase = place * phases;
      const row = Math.floor(phase);
      const between = phase - row;
      const nearer = row * taps;
      let sumLeft = 0;
      let sumRight = 0;
      for (let tap = 0; tap < taps; tap += 1) {
        const coefficient = filter[nearer + tap] ?? 0;
        const weight = coefficient + ((filter[nearer + taps + tap] ?? 0) - coefficient) * between;
        sumLeft += weight * (sourceLeft[whole + tap] ?? 0);
        sumRight += weight * (sourceRight[whole + tap] ?? 0);
      }
      left[frame] = sumLeft;
      right[frame] = sumRight;
      place += step;
      const passed = Math.floor(place);
      place -= passed;
      whole += passed;
    }
    this.#fraction = place;
    return whole + this.reach - 1 - at;
  }
}

/** A row of taps for every phase and one for the next sample's first; each adds up to 1. */
function filterBank(reach: number, band: number): Float32Array {
  const taps = 2 * reach;
  const bank = new Float32Array((phases + 1) * taps);
  for (let phase = 0; phase <= phases; phase += 1) {
    const row = bank.subarray(phase * taps, (phase + 1) * taps);
    let sum = 0;
    for (let tap = 0; tap < taps; tap += 1) {
      const from = tap - (reach - 1) - phase / phases;
      const value = sinc(band * from) * kaiser(from / reach);
      row[tap] = value;
      sum += value;
    }
    for (let tap = 0; tap < taps; tap += 1) row[tap] = (row[tap] ?? 0) / sum;
  }
  return bank;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** Kaiser's window from −1 to 1. */
function kaiser(x: number): number {
  return Math.abs(x) > 1 ? 0 : bessel(kaiserBeta * Math.sqrt(1 - x * x)) / bessel(kaiserBeta);
}

/** Modified Bessel function of the first kind, order 0. */
function bessel(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-12; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
