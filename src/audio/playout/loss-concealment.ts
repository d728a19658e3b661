import { mostPeriod, pitchPeriod } from './pitch-period.ts';
import { rise } from './rise.ts';
import type { SoundQueue } from './sound-queue.ts';

/** As loud as before for so long, then fading to nothing by 60 ms. */
const heldSamples = 480;
const fadeSamples = 2_400;
/** How fast it fades when nothing is to follow. */
const hurriedFadeSamples = 240;
/** Over which the first made-up sample's distance from where the sound was to go is given back. */
const joinSamples = 96;
/** Two turns of the period go over into each other in this share of it. */
const overlapShare = 0.25;
/** What follows is faded in over this. */
export const crossFadeSamples = 192;
/** Mean square below which there is nothing to go on with: −80 dBFS. */
const quietPower = 1e-8;

/**
 * Makes up sound where there is none: the last period of what was heard again and again, fading to silence
 * within 60 ms, joined without a step to what was before it and to what follows. Before the first sound it
 * is silent, so that what follows is faded in. Beginning takes about 0.1 ms, a sample a few additions;
 * allocates nothing.
 */
export class LossConcealment {
  readonly #left = new Float32Array(mostPeriod);
  readonly #right = new Float32Array(mostPeriod);
  readonly #tailLeft = new Float32Array(crossFadeSamples);
  readonly #tailRight = new Float32Array(crossFadeSamples);
  #period = mostPeriod;
  #phase = 0;
  #gain = 0;
  #held = 0;
  #fall = 0;
  #joinLeft = 0;
  #joinRight = 0;
  #joined = joinSamples;
  #active = true;

  /** What was last is made up, or silence. */
  get active(): boolean {
    return this.#active;
  }

  get silent(): boolean {
    return this.#gain <= 0;
  }

  /** What comes last in the queue is to be gone on with; nothing when that is being done. */
  begin({ left, right, end }: SoundQueue): void {
    if (this.#active) return;
    this.#active = true;
    this.#gain = 0;
    if (power(left, right, end) < quietPower) return;
    this.#period = pitchPeriod(left, right, end);
    this.#joinLeft = takePeriod(left, this.#left, end, this.#period);
    this.#joinRight = takePeriod(right, this.#right, end, this.#period);
    this.#joined = 0;
    this.#phase = 0;
    this.#gain = 1;
    this.#held = heldSamples;
    this.#fall = 1 / fadeSamples;
  }

  /** Nothing is to follow soon: fades out within 5 ms. */
  hurry(): void {
    this.#held = 0;
    this.#fall = Math.max(this.#fall, 1 / hurriedFadeSamples);
  }

  /** The queue was cut: what comes last in it now is to be gone on with. */
  interrupt(): void {
    this.#active = false;
  }

  /** What was heard last does not matter any more. */
  silence(): void {
    this.#active = true;
    this.#gain = 0;
  }

  /** Puts so much made-up sound at the end of the queue. */
  extend(queue: SoundQueue, samples: number): void {
    queue.makeRoom(samples);
    this.#make(queue.left, queue.right, queue.end, samples);
    queue.grow(samples);
  }

  /** Goes over from made-up sound to the block that begins at `from`, within the block. */
  fadeInto(left: Float32Array, right: Float32Array, from: number, samples: number): void {
    const length = Math.min(samples, crossFadeSamples);
    this.#make(this.#tailLeft, this.#tailRight, 0, length);
    for (let i = 0; i < length; i += 1) {
      const weight = rise((i + 0.5) / length);
      const tailLeft = this.#tailLeft[i] ?? 0;
      const tailRight = this.#tailRight[i] ?? 0;
      left[from + i] = tailLeft + ((left[from + i] ?? 0) - tailLeft) * weight;
      right[from + i] = tailRight + ((right[from + i] ?? 0) - tailRight) * weight;
    }
    this.#active = false;
  }

  #make(left: Float32Array, right: Float32Array, from: number, samples: number): void {
    const end = from + samples;
    let at = from;
    for (; at < end && this.#gain > 0; at += 1) {
      let apart = 0;
      if (this.#joined < joinSamples) {
        apart = rise(1 - this.#joined / joinSamples);
        this.#joined += 1;
      }
      left[at] = this.#gain * ((this.#left[this.#phase] ?? 0) + this.#joinLeft * apart);
      right[at] = this.#gain * ((this.#right[this.#phase] ?? 0) + this.#joinRight * apart);
      this.#phase = this.#phase + 1 === this.#period ? 0 : this.#phase + 1;
      if (this.#held > 0) this.#held -= 1;
      else this.#gain -= this.#fall;
    }
    left.fill(0, at, end);
    right.fill(0, at, end);
  }
}

/**
 * Takes the last period before `end`, with its end going over into what was before its beginning, so that
 * it can be repeated. Returns how far the sound's last sample is from the one that comes before the period.
 */
function takePeriod(
  samples: Float32Array,
  into: Float32Array,
  end: number,
  period: number,
): number {
  const from = end - period;
  const overlap = Math.floor(period * overlapShare);
  for (let i = 0; i < period; i += 1) into[i] = samples[from + i] ?? 0;
  for (let i = 0; i < overlap; i += 1) {
    const at = period - overlap + i;
    const weight = rise((i + 0.5) / overlap);
    const before = samples[from - overlap + i] ?? 0;
    into[at] = (into[at] ?? 0) + (before - (into[at] ?? 0)) * weight;
  }
  return (samples[end - 1] ?? 0) - (samples[from - 1] ?? 0);
}

function power(left: Float32Array, right: Float32Array, end: number): number {
  let sum = 0;
  for (let at = end - mostPeriod; at < end; at += 1) {
    sum += (left[at] ?? 0) ** 2 + (right[at] ?? 0) ** 2;
  }
  return sum / (2 * mostPeriod);
}
