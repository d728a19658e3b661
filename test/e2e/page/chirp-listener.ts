import { findChirps } from '../../lab/correlate.ts';

/** Chromium's reader of a track's samples (w3c mediacapture-transform); not in TypeScript's DOM types. */
declare class MediaStreamTrackProcessor {
  constructor(init: { track: MediaStreamTrack; maxBufferSize: number });
  readonly readable: ReadableStream<AudioData>;
}

const rateHz = 48_000;
/** How much of the sound is kept. */
const keptSamples = 6 * rateHz;

export interface HeardChirp {
  /** When its first sample came out of the track, ms of the Unix epoch. */
  readonly unixMs: number;
  readonly correlation: number;
}

/** Listens to what a received track gives, after jitter buffer and decoder, and finds chirps in it. */
export class ChirpListener {
  readonly #samples = new Int16Array(keptSamples);
  #count = 0;
  /** When sample 0 came, by the least delayed block: blocks come late, never early. */
  #originMs = Number.POSITIVE_INFINITY;
  #fault = '';

  /** Listens to this track from now on; what an earlier one gave is forgotten. */
  listenTo(track: MediaStreamTrack): void {
    this.#count = 0;
    this.#originMs = Number.POSITIVE_INFINITY;
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
      unixMs: this.#originMs + (first / rateHz) * 1_000 + atMs,
      correlation,
    }));
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
    this.#originMs = Math.min(this.#originMs, now - (this.#count / rateHz) * 1_000);
  }
}
