/**
 * Finds the calibration's chirp in sound: a tone of 1800 Hz, at least 60 ms long, that begins within
 * 5 ms. Pure, and runs in the audio thread: `process` allocates nothing.
 */

export const chirpHz = 1_800;

/** What is taken for a chirp. */
const least = { rms: 0.1, ratio: 0.35, refractoryMs: 300 } as const;

/** The tone is looked for in so much sound: 18 whole cycles. */
const windowMs = 10;

/** How often the tone's amplitude is kept, and for how long. */
const stepMs = 1 / 3;
const keptSteps = 192;

/** From the detection until the window is sure to have been full of the tone. */
const settleMs = 20;
/** How far before the detection the tone may have begun to show. */
const lookBackMs = 15;

/** At half its amplitude a tone that rises within 5 ms began half a window and half a rise ago. */
const halfAmplitudeMs = windowMs / 2 + 2.5;

export class ChirpDetector {
  readonly #onChirp: (frame: number) => void;
  readonly #framesPerMs: number;
  readonly #step: number;
  readonly #samples: Float64Array;
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;
  readonly #amplitudes = new Float64Array(keptSteps);
  #at = 0;
  #energy = 0;
  #real = 0;
  #imaginary = 0;
  /** Frames of sound so far, and steps. */
  #frames = 0;
  #steps = 0;
  #detectedStep = -1;
  #quietUntil = 0;

  /** `onChirp` is told the frame, counted from the detector's first, at which a chirp began. */
  constructor({
    sampleRate,
    onChirp,
  }: {
    readonly sampleRate: number;
    readonly onChirp: (frame: number) => void;
  }) {
    this.#onChirp = onChirp;
    this.#framesPerMs = sampleRate / 1_000;
    this.#step = Math.round(stepMs * this.#framesPerMs);
    const size = Math.round(windowMs * this.#framesPerMs);
    this.#samples = new Float64Array(size);
    // One turn of the window is a whole number of cycles, so a sample's place in it tells the phase.
    this.#cos = Float64Array.from({ length: size }, (_, n) => Math.cos(this.#phase(n)));
    this.#sin = Float64Array.from({ length: size }, (_, n) => Math.sin(this.#phase(n)));
  }

  /** The next samples of each channel; what both have in common is looked at. */
  process(left: Float32Array, right: Float32Array): void {
    for (let n = 0; n < left.length; n += 1) {
      this.#take(((left[n] ?? 0) + (right[n] ?? 0)) / 2);
      if (this.#frames % this.#step === 0) this.#look();
    }
  }

  #phase(n: number): number {
    return (2 * Math.PI * Math.round(chirpHz * (windowMs / 1_000)) * n) / this.#samples.length;
  }

  #take(sample: number): void {
    const at = this.#at;
    const old = this.#samples[at] ?? 0;
    const change = sample - old;
    this.#samples[at] = sample;
    this.#energy += sample * sample - old * old;
    this.#real += change * (this.#cos[at] ?? 0);
    this.#imaginary += change * (this.#sin[at] ?? 0);
    this.#at = at + 1 === this.#samples.length ? 0 : at + 1;
    this.#frames += 1;
  }

  #look(): void {
    const size = this.#samples.length;
    const meanSquare = Math.max(0, this.#energy) / size;
    const toneSquare = (2 * (this.#real ** 2 + this.#imaginary ** 2)) / size ** 2;
    this.#amplitudes[this.#steps % keptSteps] = Math.sqrt(toneSquare);
    this.#steps += 1;
    if (this.#detectedStep >= 0) {
      if (this.#stepsSince(this.#detectedStep) >= settleMs) this.#settle();
      return;
    }
    if (this.#frames < this.#quietUntil) return;
    if (meanSquare > least.rms ** 2 && toneSquare > least.ratio * meanSquare) {
      this.#detectedStep = this.#steps;
    }
  }

  /** Ms from a step until now. */
  #stepsSince(step: number): number {
    return ((this.#steps - step) * this.#step) / this.#framesPerMs;
  }

  /** The window has been full of the tone: its onset is where it had half of the amplitude it reached. */
  #settle(): void {
    const msPerStep = this.#step / this.#framesPerMs;
    const first = Math.max(0, this.#detectedStep - Math.round(lookBackMs / msPerStep));
    let largest = 0;
    for (let step = first; step < this.#steps; step += 1) {
      largest = Math.max(largest, this.#amplitudes[step % keptSteps] ?? 0);
    }
    let step = first;
    while (step < this.#steps && (this.#amplitudes[step % keptSteps] ?? 0) < largest / 2) step += 1;
    const beganFrame = (step + 1) * this.#step - halfAmplitudeMs * this.#framesPerMs;
    this.#quietUntil = beganFrame + least.refractoryMs * this.#framesPerMs;
    this.#detectedStep = -1;
    this.#onChirp(Math.max(0, Math.round(beganFrame)));
  }
}
