import { findChirps } from '../../lab/correlate.ts';

/** Chromium's reader of a track's samples (w3c mediacapture-transform); not in TypeScript's DOM types. */
declare class MediaStreamTrackProcessor {
  constructor(init: { track: MediaStreamTrack; maxBufferSize: number });
  readonly readable: ReadableStream<AudioData>;
}

const rateHz = 48_000;
/** How much of the sound is kept. */
const keptSamples = 6 * rateHz;

/** A block is timed by the blocks this near; a track that paused meanwhile has another origin afterwards. */
const nearbySamples = 0.3 * rateHz;

interface Block {
  /** Number of samples up to its end. */
  readonly end: number;
  /** When sample 0 would have come if this block came without delay, ms of the Unix epoch. */
  readonly originMs: number;
}

export interface HeardChirp {
  /** When its first sample came out of the track, ms of the Unix epoch. */
  readonly unixMs: number;
  readonly correlation: number;
}

/** Listens to what a received track gives, after jitter buffer and decoder, and finds chirps in it. */
export class ChirpListener {
  readonly #samples = new Int16Array(keptSamples);
  #count = 0;
  #blocks: Block[] = [];
  #fault = '';

  /** Listens to this track from now on; what an earlier one gave is forgotten. */
  listenTo(track: MediaStreamTrack): void {
    this.#count = 0;
    this.#blocks = [];
    // Blocks of 10 ms; a page busy for longer would lose sound.
    const { readable } = new MediaStreamTrackProcessor({ track, maxBufferSize: 500 });
    this.#read(readable.getReader()).catch((error: unknown) => {
      this.#fault = String(error);
    });
  }

  /** The chirps of the last six seconds. Throws when listening failed. */
  chirps(): HeardChirp[] {
    if (this.#fault !== '') throw new Error(this.#fault);
    const kept = Math.min(this.#count, keptSamples);
    const first = this.#count - kept;
    const ordered = new Int16Array(kept);
    for (let n = 0; n < kept; n += 1) ordered[n] = this.#samples[(first + n) % keptSamples] ?? 0;
    return findChirps(ordered, 1).map(({ atMs, correlation }) => ({
      unixMs: this.#timeOf(first + (atMs / 1_000) * rateHz),
      correlation,
    }));
  }

  /** When `sample` came out, by the least delayed block around it: blocks come late, never early. */
  #timeOf(sample: number): number {
    let originMs = Number.POSITIVE_INFINITY;
    for (const block of this.#blocks) {
      if (Math.abs(block.end - sample) > nearbySamples) continue;
      originMs = Math.min(originMs, block.originMs);
    }
    return originMs + (sample / rateHz) * 1_000;
  }

  async #read(reader: ReadableStreamDefaultReader<AudioData>): Promise<void> {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      this.#take(value);
      value.close();
    }
  }

  #take(data: AudioData): void {
    if (data.sampleRate !== rateHz) throw new Error(`the track runs at ${data.sampleRate} Hz`);
    const block = new Float32Array(data.numberOfFrames);
    data.copyTo(block, { planeIndex: 0, format: 'f32-planar' });
    for (const sample of block) {
      this.#samples[this.#count % keptSamples] = Math.max(-1, Math.min(1, sample)) * 32_767;
      this.#count += 1;
    }
    const now = performance.timeOrigin + performance.now();
    this.#blocks.push({ end: this.#count, originMs: now - (this.#count / rateHz) * 1_000 });
    const oldest = this.#blocks[0];
    if (oldest !== undefined && oldest.end < this.#count - keptSamples) this.#blocks.shift();
  }
}
