import { ChirpDetector } from './chirp-detector.ts';
import { type ChirpHeard, chirpProcessor } from './chirp-messages.ts';

/** The audio thread's part of the calibration (assets/chirp-worklet.js). */

/** Web Audio API §1.32.3 and §1.32.5, as far as it is used; TypeScript has no types of this scope. */
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;
declare const currentFrame: number;
declare const sampleRate: number;

const silence = new Float32Array(128);

/** Listens; what it is connected to hears nothing of it. Says each chirp, until it is told anything. */
class ChirpProcessor extends AudioWorkletProcessor {
  /** What to add to a frame of the detector to have the context's, which goes on where a busy machine skips a call. */
  #offset = 0;
  #heard = 0;
  #isStopped = false;
  readonly #detector = new ChirpDetector({
    sampleRate,
    onChirp: (frame) => {
      const heard: ChirpHeard = { frame: frame + this.#offset };
      this.port.postMessage(heard);
    },
  });

  constructor() {
    super();
    this.port.onmessage = () => {
      this.#isStopped = true;
    };
  }

  process([input]: readonly (readonly Float32Array[])[]): boolean {
    if (this.#isStopped) return false;
    // Nothing connected, or a source that paused, is silence.
    const left = input?.[0] ?? silence;
    this.#offset = currentFrame - this.#heard;
    this.#heard += left.length;
    this.#detector.process(left, input?.[1] ?? left);
    return true;
  }
}

registerProcessor(chirpProcessor, ChirpProcessor);
