import { playedAtMs } from '../output-time.ts';
import { type ChirpHeard, chirpProcessor } from './chirp-messages.ts';

const workletUrl = '/assets/chirp-worklet.js';

/** The sound to listen to: what a graph plays, or a stream that an element plays. */
export type HeardSound =
  | { readonly kind: 'node'; readonly node: AudioNode }
  | { readonly kind: 'stream'; readonly stream: MediaStream; readonly sinkId: string };

/** Contexts that have the worklet's module already. */
const prepared = new WeakSet<BaseAudioContext>();

/**
 * Listens to what is played and tells when chirps in it come out of the sound card. A stream is listened
 * to in a context of its own on the same output, whose way to the sound card is as long as the element's.
 */
export class ChirpListener {
  readonly #onChirp: (playedMs: number) => void;
  #ownContext: AudioContext | undefined;
  #source: AudioNode | undefined;
  #worklet: AudioWorkletNode | undefined;
  #isStopped = false;

  constructor(onChirp: (playedMs: number) => void) {
    this.#onChirp = onChirp;
  }

  /** Resolves once it listens. Rejects where the browser cannot. */
  async start(sound: HeardSound): Promise<void> {
    const context = this.#contextOf(sound);
    if (context.audioWorklet === undefined) {
      throw new Error('This browser listens to its own sound only over HTTPS.');
    }
    if (!prepared.has(context)) await context.audioWorklet.addModule(workletUrl);
    prepared.add(context);
    if (this.#isStopped) return;
    const source =
      sound.kind === 'node' ? sound.node : context.createMediaStreamSource(sound.stream);
    const worklet = new AudioWorkletNode(context, chirpProcessor, {
      channelCount: 2,
      channelCountMode: 'explicit',
    });
    worklet.port.onmessage = ({ data }: MessageEvent<ChirpHeard>) => {
      const playedMs = playedAtMs(context, data.frame);
      if (playedMs !== undefined) this.#onChirp(playedMs);
    };
    source.connect(worklet);
    // Its output is silence; without a way to the sound card it would not run everywhere.
    worklet.connect(context.destination);
    this.#source = source;
    this.#worklet = worklet;
    if (this.#ownContext !== undefined) await this.#ownContext.resume();
  }

  /** Idempotent; nothing is told afterwards. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    if (this.#worklet !== undefined) {
      this.#worklet.port.onmessage = null;
      this.#worklet.port.postMessage('stop');
      this.#source?.disconnect(this.#worklet);
      this.#worklet.disconnect();
    }
    // Closed by the browser already, at most.
    this.#ownContext?.close().catch(() => undefined);
  }

  #contextOf(sound: HeardSound): AudioContext {
    if (sound.kind === 'node') {
      const { context } = sound.node;
      if (context instanceof AudioContext) return context;
      throw new TypeError('The sound is not played.');
    }
    const options: AudioContextOptions = { latencyHint: 'interactive' };
    const choosesSink = 'setSinkId' in AudioContext.prototype && sound.sinkId !== '';
    this.#ownContext = new AudioContext(
      choosesSink ? Object.assign(options, { sinkId: sound.sinkId }) : options,
    );
    return this.#ownContext;
  }
}
