import { DriftController } from './drift-controller.ts';
import { FractionalResampler } from './fractional-resampler.ts';
import { JitterBuffer } from './jitter-buffer.ts';
import { LossConcealment } from './loss-concealment.ts';
import type { JitterItem, PlayoutStep } from './playout-step.ts';
import { RunningMinimum } from './running-minimum.ts';
import { SoundQueue } from './sound-queue.ts';
import { type KeptSound, SoundStore } from './sound-store.ts';
import { lengthen, shorten } from './time-stretch.ts';

export interface SoundPlayoutOptions {
  /** Of the output, Hz; 8,000–384,000. */
  readonly sampleRate: number;
  /** The longest packet taken, samples per channel; 5,760 (120 ms) unless told. */
  readonly maxPacketSamples?: number;
}

/** One decoded packet; its sound is at 48 kHz. */
export interface DecodedPacket {
  /** 16 bit, wraps. */
  readonly sequence: number;
  /** Position of its first sample, 48 kHz, 32 bit, wraps. */
  readonly timestamp: number;
  /** Per channel, 120 (2.5 ms) to `maxPacketSamples`. */
  readonly samples: number;
  /** When its first sample was captured, CLOCK_MONOTONIC of the device, µs; −1: unknown. */
  readonly captureTimeUs: number;
  /** How long it was held back for order before it was handed over, ms. */
  readonly heldMs: number;
  /** The sender pauses with it (DTX): nothing may follow for a while, and nothing is missing. */
  readonly isDtx?: boolean;
  /** It was lost, and is the copy that came with the packet after it. */
  readonly isCopy?: boolean;
}

/** What is known at any time. One object, written over by `render()`; counts only grow. */
export interface SoundNumbers {
  /** Delay aimed at, and delay there is, from the quickest possible arrival to being given out, ms. */
  readonly targetMs: number;
  readonly levelMs: number;
  /** 97th percentile of how much later than the quickest packets come, ms; the output's bursts are in it. */
  readonly jitterMs: number;
  /** How much faster the device's clock is than the output's. */
  readonly driftPpm: number;
  /** Packets that came after their moment, and packets that never came. */
  readonly late: number;
  readonly lost: number;
  /** Packets that could not be taken or were dropped as a backlog. */
  readonly dropped: number;
  /** Samples at 48 kHz made up for lost packets, made up because nothing had come, taken out or put in. */
  readonly concealedSamples: number;
  readonly underrunSamples: number;
  readonly stretchedSamples: number;
  /** A stream is being played. */
  readonly playing: boolean;
  /** When the sample given out at `frame` was captured, µs of the device; −1: made up, silent or unknown. */
  readonly captureTimeUs: number;
  readonly frame: number;
}

type MutableNumbers = { -readonly [K in keyof SoundNumbers]: SoundNumbers[K] };

const rateHz = 48_000;
const samplesPerMs = 48;
const channels = 2;
const leastSamples = 120;
const longestSamples = 5_760;
/** What a stretch puts in at most. */
const stretchRoom = 720;
const minTargetMs = 3;
/** Frames are asked for in bursts, so that a packet which is a little late is late by a whole one. */
const marginMs = 4;
/** As little as can be: what is asked for in a burst and is not here yet comes right after it. */
const fillerSamples = 120;
/** Sound waiting beyond it goes, oldest first. */
const capacityMs = 500;
const steerEveryMs = 200;
/**
 * The quickest packets of a stream that begins in a page that still loads are not quick: while quicker ones
 * are found, the level seems to rise, which is no drift.
 */
const findingQuickestMs = 10_000;
/** Frames made at a time: bounds what has to be queued, whatever the browser takes at once. */
const pieceFrames = 256;
/** Steps one piece may take: far more than the shortest packets need. */
const maxSteps = 64;
/** Packets quicker than the quickest by this, or frames not asked for: the output was away, and what is here is a backlog. */
const backlogMs = 60;
/** How far back the quickest are looked for, and how often what is usual is noted. */
const usualSpanMs = 5_000;
const usualEveryMs = 500;

/**
 * Plays decoded packets on an output that asks for frames: keeps them until their moment, makes up what is
 * missing, and holds the delay by stretching and resampling. Its clock is the output's frame counter, so
 * that frames asked for in bursts count as jitter, as they should.
 *
 * INVARIANTS: the clock never goes back; a quantum is always filled; no object is made after the constructor
 * (V8 boxes some numbers of the jitter buffer: about 130 bytes a packet, nothing of which stays).
 *
 * Cost: 8 µs a quantum of 128 frames on x86-64, packets included; beginning a concealment 0.1 ms more.
 */
export class SoundPlayout {
  readonly numbers: SoundNumbers;
  readonly #numbers: MutableNumbers = {
    ...{ targetMs: 0, levelMs: 0, jitterMs: 0, driftPpm: 0, late: 0, lost: 0, dropped: 0 },
    ...{ concealedSamples: 0, underrunSamples: 0, stretchedSamples: 0 },
    ...{ playing: false, captureTimeUs: -1, frame: 0 },
  };
  readonly #framesPerMs: number;
  readonly #maxSamples: number;
  readonly #buffer = new JitterBuffer<KeptSound>({
    ...{ minTargetMs, marginMs, fillerSamples, capacityMs },
  });
  readonly #drift = new DriftController();
  readonly #store = new SoundStore();
  readonly #queue = new SoundQueue();
  readonly #concealment = new LossConcealment();
  readonly #resampler: FractionalResampler;
  readonly #block = new Float32Array((longestSamples + stretchRoom) * channels);
  /** The call of `next()`, written over. */
  readonly #moment = { nowMs: 0, queuedMs: 0, final: true };
  readonly #observation = { nowMs: 0, levelMs: 0, targetMs: 0, adjustedMs: 0 };
  /** Of arrival less position in the stream, ms; and how it was before the last half second. */
  readonly #quickest = new RunningMinimum({ spanMs: usualSpanMs, valuesPerBucket: 5 });
  #usualMs = Number.POSITIVE_INFINITY;
  #usualNotedMs = Number.NEGATIVE_INFINITY;
  /** The stream's number: another one makes the buffer begin anew. */
  #stream = 0;
  /** The stream was given up: nothing is played until the next packet. */
  #forgotten = false;
  #wasAway = false;
  #refused = 0;
  /** Position of the packet inserted last, ms, without wraps. */
  #mediaMs = 0;
  #lastTimestamp = 0;
  /** Timestamp at which the block played last ended; NaN: none did. */
  #endTimestamp = Number.NaN;
  #expectedFrame = Number.NaN;
  /** Added to frames, when their counter went back. */
  #frameOffset = 0;
  #nowMs = 0;
  #steeredMs = Number.NEGATIVE_INFINITY;
  /** When the stream began. */
  #beganMs = 0;
  /** What was played last came from a packet. */
  #steady = false;

  constructor({ sampleRate, maxPacketSamples = longestSamples }: SoundPlayoutOptions) {
    this.numbers = this.#numbers;
    this.#framesPerMs = sampleRate / 1_000;
    this.#maxSamples = Math.min(maxPacketSamples, longestSamples);
    this.#resampler = new FractionalResampler({ sampleRate });
    this.#queue.growSilent(this.#resampler.reach);
  }

  /** Takes one packet; its sound, planar, is copied. `frame`: the output's frame counter now. */
  insert(packet: DecodedPacket, left: Float32Array, right: Float32Array, frame: number): void {
    const { sequence, timestamp, samples, captureTimeUs, heldMs } = packet;
    const { isDtx = false, isCopy = false } = packet;
    const fits = samples >= leastSamples && samples <= this.#maxSamples;
    if (!fits || left.length < samples || right.length < samples || !(heldMs >= 0)) {
      this.#refused += 1;
      return;
    }
    const item = this.#store.blank;
    item.ssrc = this.#stream;
    item.sequence = sequence & 0xffff;
    item.timestamp = timestamp >>> 0;
    item.samples = samples;
    item.isDtx = isDtx;
    item.isCopy = isCopy;
    item.arrivalMs = this.#timeOf(frame) - heldMs;
    item.payload.captureTimeUs = captureTimeUs;
    const outcome = this.#buffer.insert(item);
    if (outcome === 'late' || outcome === 'duplicate') return;
    this.#store.keep(left, right);
    if (outcome === 'reset' && !this.#forgotten) this.#forgetClocks();
    if (outcome === 'reset') this.#restartUsual();
    if (outcome === 'reset' || this.#forgotten) this.#beganMs = item.arrivalMs;
    this.#forgotten = false;
    this.#watchClock(item);
  }

  /** Fills one quantum, of any length; `frame`: the counter at its first frame. */
  render(left: Float32Array, right: Float32Array, frame: number): void {
    this.#follow(frame);
    if (this.#wasAway) this.#dropBacklog();
    this.#numbers.frame = frame;
    this.#numbers.captureTimeUs = -1;
    for (let done = 0; done < left.length; done += pieceFrames) {
      const frames = Math.min(left.length - done, pieceFrames);
      this.#fill(this.#resampler.needs(frames), done / this.#framesPerMs);
      if (done === 0) {
        this.#numbers.captureTimeUs = this.#queue.captureTimeUs(this.#resampler.fraction);
      }
      const { at } = this.#queue;
      this.#queue.advance(this.#resampler.process(this.#queue, at, left, right, done, frames));
    }
    this.#expectedFrame = frame + left.length;
    this.#report();
  }

  /** Another stream follows: what is heard fades out within 5 ms, and the next packet begins anew. */
  reset(): void {
    this.#forgetStream();
    this.#forgetClocks();
  }

  #timeOf(frame: number): number {
    return Math.max((frame + this.#frameOffset) / this.#framesPerMs, this.#nowMs);
  }

  /** Sets the clock. When the output was away, what it had still to be given is not what is to be heard now. */
  #follow(frame: number): void {
    if (frame < this.#expectedFrame) this.#frameOffset += this.#expectedFrame - frame;
    this.#nowMs = this.#timeOf(frame);
    if (frame === this.#expectedFrame || Number.isNaN(this.#expectedFrame)) return;
    const awayMs = Math.abs(frame - this.#expectedFrame) / this.#framesPerMs;
    if (awayMs > backlogMs) this.#wasAway = true;
    const { reach } = this.#resampler;
    this.#queue.cut(0);
    this.#queue.captured(-1);
    this.#queue.growSilent(2 * reach);
    this.#queue.advance(reach);
    this.#concealment.silence();
    this.#drift.interrupt();
  }

  /** Packets that come much quicker than any before, as no network makes them: the output's clock stood still. */
  #watchClock({ timestamp, samples, arrivalMs }: JitterItem<KeptSound>): void {
    this.#mediaMs += ((timestamp - this.#lastTimestamp) | 0) / samplesPerMs;
    this.#lastTimestamp = timestamp;
    const wayMs = arrivalMs - this.#mediaMs - samples / samplesPerMs;
    this.#quickest.add(arrivalMs, wayMs);
    if (this.#usualMs - wayMs > backlogMs && this.#usualMs < Number.POSITIVE_INFINITY) {
      this.#wasAway = true;
    }
    if (Math.abs(arrivalMs - this.#usualNotedMs) < usualEveryMs) return;
    this.#usualNotedMs = arrivalMs;
    this.#usualMs = this.#quickest.value;
  }

  #restartUsual(): void {
    this.#quickest.restart(this.#nowMs);
    this.#usualMs = Number.POSITIVE_INFINITY;
    this.#usualNotedMs = Number.NEGATIVE_INFINITY;
  }

  #dropBacklog(): void {
    this.#refused += this.#buffer.size;
    this.#forgetStream();
    this.#drift.interrupt();
  }

  #forgetStream(): void {
    this.#stream += 1;
    this.#forgotten = true;
    this.#wasAway = false;
    const { waiting } = this.#queue;
    this.#queue.cut(this.#resampler.reach);
    if (this.#queue.waiting < waiting) this.#concealment.interrupt();
  }

  #forgetClocks(): void {
    this.#drift.reset();
    this.#resampler.setPpm(0);
  }

  /** Sees to it that so many samples wait. `aheadMs`: sound made for this quantum already. */
  #fill(samples: number, aheadMs: number): void {
    for (let steps = 0; this.#queue.waiting < samples && steps < maxSteps; steps += 1) {
      const queuedMs = aheadMs + this.#queue.waiting / samplesPerMs;
      this.#steer(queuedMs);
      if (!this.#playNext(queuedMs)) break;
    }
    if (this.#queue.waiting >= samples) return;
    this.#conclude();
    this.#concealment.extend(this.#queue, samples - this.#queue.waiting);
  }

  /** False when there is nothing to play now. */
  #playNext(queuedMs: number): boolean {
    if (this.#forgotten) return this.#rest();
    this.#moment.nowMs = this.#nowMs;
    this.#moment.queuedMs = queuedMs;
    const step = this.#buffer.next(this.#moment);
    switch (step.kind) {
      case 'wait':
      case 'idle':
        return this.#rest();
      case 'conceal':
        if (step.because === 'loss') this.#numbers.concealedSamples += step.samples;
        else if (step.because === 'underrun') this.#numbers.underrunSamples += step.samples;
        return this.#conceal(step.samples);
      case 'recover':
        this.#numbers.concealedSamples += step.samples;
        return this.#conceal(step.samples);
      case 'decode':
        return this.#play(step);
    }
  }

  #rest(): boolean {
    this.#numbers.playing = false;
    this.#steady = false;
    return false;
  }

  #conclude(): void {
    this.#queue.captured(-1);
    this.#concealment.begin(this.#queue);
    this.#concealment.hurry();
  }

  #conceal(samples: number): boolean {
    this.#numbers.playing = true;
    this.#steady = false;
    this.#queue.captured(-1);
    this.#concealment.begin(this.#queue);
    this.#concealment.extend(this.#queue, samples);
    return true;
  }

  #play({ item, stretch, stretchMs }: PlayoutStep<KeptSound> & { kind: 'decode' }): boolean {
    if (!this.#store.fetch(item, this.#block)) {
      this.#numbers.concealedSamples += item.samples;
      return this.#conceal(item.samples);
    }
    let { samples } = item;
    if (stretch === 'shorten') samples = shorten(this.#block, samples, channels, stretchMs);
    else if (stretch === 'lengthen') {
      samples = lengthen(this.#block, samples, channels, stretchMs);
    }
    this.#numbers.stretchedSamples += Math.abs(samples - item.samples);
    if (item.timestamp !== this.#endTimestamp) this.#concealment.begin(this.#queue);
    this.#endTimestamp = (item.timestamp + item.samples) >>> 0;
    this.#append(samples);
    this.#mark(item, samples);
    this.#queue.grow(samples);
    this.#numbers.playing = true;
    this.#steady = true;
    return true;
  }

  /** Writes the block at the queue's end, joined to what is before it. */
  #append(samples: number): void {
    this.#queue.makeRoom(samples);
    const { left, right, end } = this.#queue;
    for (let i = 0; i < samples; i += 1) {
      left[end + i] = this.#block[2 * i] ?? 0;
      right[end + i] = this.#block[2 * i + 1] ?? 0;
    }
    if (this.#concealment.active) this.#concealment.fadeInto(left, right, end, samples);
  }

  /** A stretched block is joined in the middle of what is left of it: from there on its time is that of its end. */
  #mark(
    { payload: { captureTimeUs }, samples: before }: { payload: KeptSound; samples: number },
    samples: number,
  ): void {
    this.#queue.captured(captureTimeUs);
    if (samples === before || captureTimeUs < 0) return;
    const half = Math.floor(samples / 2);
    const skippedUs = ((before - samples + half) * 1e6) / rateHz;
    this.#queue.captured(captureTimeUs + skippedUs, half);
  }

  #steer(queuedMs: number): void {
    if (!this.#steady || this.#nowMs - this.#steeredMs < steerEveryMs) return;
    this.#steeredMs = this.#nowMs;
    this.#observation.nowMs = this.#nowMs;
    this.#observation.levelMs = this.#buffer.levelMs(queuedMs, this.#nowMs);
    this.#observation.targetMs = this.#buffer.targetMs;
    this.#observation.adjustedMs = this.#buffer.adjustedMs;
    if (this.#nowMs - this.#beganMs < findingQuickestMs) this.#drift.interrupt();
    this.#resampler.setPpm(this.#drift.update(this.#observation));
  }

  #report(): void {
    const { counts } = this.#buffer;
    const endMs = this.#timeOf(this.#expectedFrame);
    const queuedMs = this.#queue.waiting / samplesPerMs;
    this.#numbers.targetMs = this.#buffer.targetMs;
    this.#numbers.levelMs = this.#numbers.playing ? this.#buffer.levelMs(queuedMs, endMs) : 0;
    this.#numbers.jitterMs = this.#buffer.jitterMs;
    this.#numbers.driftPpm = this.#drift.driftPpm;
    this.#numbers.late = counts.late;
    this.#numbers.lost = counts.lost;
    this.#numbers.dropped = this.#refused + counts.overflow + counts.skipped;
  }
}
