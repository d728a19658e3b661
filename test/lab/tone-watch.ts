/**
 * Finds every interruption of a tone, however short, while it is being recorded: by its level, and by its
 * phase, which a lost or repeated piece of sound moves. A frame of 2.5 to 40 ms moves 985 Hz by 13 degrees
 * or more; 1 kHz it would not move at all. What a decoder takes out or puts in by whole periods is not
 * found, since it is not heard.
 */

/** Whole periods in a second, so that a file of one second can be repeated; none in the length of a frame. */
export const watchedToneHz = 985;

const rateHz = 48_000;
const hopSamples = 240;
const windowSamples = 480;
const hopMs = (hopSamples * 1_000) / rateHz;
/** Hops between the two phases that are compared, so that both are of whole, separate windows. */
const compareHops = 3;
/** What neither a codec's noise nor 1,000 ppm of drift makes in that time. */
const jumpDegrees = 10;
/** A level so much below the usual is heard as a gap. */
const dipFactor = 0.5;
/** Interruptions closer than this are one. */
const mergeMs = 100;
/** Of the first second, of which the usual level is learned. */
const learnHops = 100;
/** What is kept of a bad run; the rest is counted. */
const mostKept = 1_000;

export interface Interruption {
  /** ms since the first sample. */
  readonly fromMs: number;
  readonly toMs: number;
  /** The furthest the phase jumped. */
  readonly degrees: number;
  /** Lowest level within, relative to the usual: 1 is no dip, 0 silence. */
  readonly level: number;
}

/** Takes the samples as they come. Memory does not grow with the time watched. */
export class ToneWatch {
  readonly #cosine = new Float64Array(windowSamples);
  readonly #sine = new Float64Array(windowSamples);
  readonly #hann = new Float64Array(windowSamples);
  readonly #window = new Float64Array(windowSamples);
  readonly #phases = new Float64Array(compareHops);
  readonly #learned: number[] = [];
  readonly #found: Interruption[] = [];
  #usual = 0;
  #hops = 0;
  #filled = 0;
  #current: Interruption | undefined;
  #count = 0;

  constructor() {
    for (let n = 0; n < windowSamples; n += 1) {
      const hann = 1 - Math.cos((2 * Math.PI * (n + 0.5)) / windowSamples);
      const angle = (2 * Math.PI * watchedToneHz * n) / rateHz;
      this.#hann[n] = hann / windowSamples;
      this.#cosine[n] = (hann * Math.cos(angle)) / windowSamples;
      this.#sine[n] = (hann * Math.sin(angle)) / windowSamples;
    }
  }

  /** Interruptions found so far, in order, the first {@link mostKept}; one that lasts is not among them. */
  get found(): readonly Interruption[] {
    return this.#found;
  }

  /** How many there were. */
  get count(): number {
    return this.#count;
  }

  /** Watched so far, in ms. */
  get watchedMs(): number {
    return this.#hops * hopMs;
  }

  /** Takes the next samples of one channel, interleaved among `channels`; ±1 or any other scale. */
  push(samples: Int16Array, channels: number): void {
    for (let n = 0; n < samples.length; n += channels) {
      this.#window[this.#filled] = samples[n] ?? 0;
      this.#filled += 1;
      if (this.#filled < windowSamples) continue;
      this.#look();
      this.#window.copyWithin(0, hopSamples);
      this.#filled = windowSamples - hopSamples;
    }
  }

  /** Ends an interruption that lasts to the end. */
  finish(): void {
    this.#close();
  }

  #look(): void {
    let re = 0;
    let im = 0;
    let power = 0;
    for (let n = 0; n < windowSamples; n += 1) {
      const sample = this.#window[n] ?? 0;
      re += sample * (this.#cosine[n] ?? 0);
      im -= sample * (this.#sine[n] ?? 0);
      power += sample ** 2 * (this.#hann[n] ?? 0);
    }
    // Relative to a tone that goes on: the window begins a hop later each time.
    const turned = ((this.#hops * hopSamples * watchedToneHz) / rateHz) % 1;
    const phase = Math.atan2(im, re) / (2 * Math.PI) - turned;
    const slot = this.#hops % compareHops;
    const degrees = Math.abs(wrap(phase - (this.#phases[slot] ?? 0))) * 360;
    this.#phases[slot] = phase;
    // Of all that sounds: where the tone goes on in another phase, it cancels itself in `re` and `im` only.
    this.#judge(Math.sqrt(power), this.#hops < compareHops ? 0 : degrees);
    this.#hops += 1;
  }

  #judge(magnitude: number, degrees: number): void {
    if (this.#learned.length < learnHops) {
      this.#learned.push(magnitude);
      this.#usual = [...this.#learned].sort((a, b) => a - b)[this.#learned.length >> 1] ?? 0;
    }
    const level = this.#usual === 0 ? 0 : magnitude / this.#usual;
    const atMs = this.#hops * hopMs;
    // The phase of what is hardly there says nothing.
    const jump = level < dipFactor ? 0 : degrees;
    if (level < dipFactor || jump > jumpDegrees) this.#note(atMs, jump, level);
    else if (this.#current !== undefined && atMs - this.#current.toMs > mergeMs) this.#close();
  }

  #note(atMs: number, degrees: number, level: number): void {
    const { fromMs = atMs, degrees: furthest = 0, level: lowest = 1 } = this.#current ?? {};
    this.#current = {
      fromMs,
      toMs: atMs + hopMs,
      degrees: Math.max(furthest, degrees),
      level: Math.min(lowest, level),
    };
  }

  #close(): void {
    if (this.#current === undefined) return;
    this.#count += 1;
    if (this.#found.length < mostKept) this.#found.push(this.#current);
    this.#current = undefined;
  }
}

/** To −0.5…0.5 of a turn. */
function wrap(turns: number): number {
  return turns - Math.round(turns);
}
