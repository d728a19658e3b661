import { SoundPlayout } from '../../audio/playout/sound-playout.ts';
import {
  type PlayoutAnswer,
  type PlayoutCommand,
  playoutProcessor,
  type WorkletCommand,
  type WorkletOptions,
} from './lane-messages.ts';
import { emptySoundPacket, maxPacketSamples, type SoundPacket, SoundRing } from './sound-ring.ts';

/** The audio thread's part of the fast lane (assets/fast-lane-worklet.js). */

/** Web Audio API §1.32.3 and §1.32.5, as far as it is used; TypeScript has no types of this scope. */
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(
  name: string,
  processor: new (options: { readonly processorOptions: WorkletOptions }) => AudioWorkletProcessor,
): void;
declare const currentFrame: number;
declare const sampleRate: number;

/**
 * Takes decoded packets from the ring or from messages, and plays them. `process` allocates nothing:
 * what it needs is made once, and numbers are only said in answer to a message.
 */
class FastLaneProcessor extends AudioWorkletProcessor {
  readonly #playout = new SoundPlayout({ sampleRate });
  readonly #ring: SoundRing | undefined;
  readonly #packet = emptySoundPacket();
  readonly #left = new Float32Array(maxPacketSamples);
  readonly #right = new Float32Array(maxPacketSamples);
  #worker: MessagePort | undefined;
  #taken = 0;
  #isStopped = false;

  constructor({ processorOptions }: { readonly processorOptions: WorkletOptions }) {
    super();
    if (processorOptions.ring !== undefined) this.#ring = new SoundRing(processorOptions.ring);
    this.port.onmessage = ({ data }: MessageEvent<WorkletCommand>) => {
      if (data.type === 'connect') this.#connect(data.port);
      else this.#stop();
    };
  }

  process(_inputs: unknown, [output]: readonly (readonly Float32Array[])[]): boolean {
    if (this.#isStopped) return false;
    const ring = this.#ring;
    if (ring !== undefined) {
      while (ring.read(this.#packet, this.#left, this.#right)) {
        this.#take(this.#packet, this.#left, this.#right);
      }
    }
    const left = output?.[0];
    const right = output?.[1];
    if (left !== undefined && right !== undefined) this.#playout.render(left, right, currentFrame);
    return true;
  }

  #connect(port: MessagePort): void {
    this.#worker = port;
    port.onmessage = ({ data }: MessageEvent<PlayoutCommand>) => {
      if (data.type === 'sound') this.#take(data.packet, data.left, data.right);
      else this.#answer(port);
    };
  }

  #take(packet: SoundPacket, left: Float32Array, right: Float32Array): void {
    this.#taken += 1;
    if (packet.begins) this.#playout.reset();
    this.#playout.insert(packet, left, right, currentFrame);
  }

  #answer(port: MessagePort): void {
    const answer: PlayoutAnswer = { numbers: this.#playout.numbers, taken: this.#taken };
    port.postMessage(answer);
  }

  #stop(): void {
    this.#isStopped = true;
    this.#worker?.close();
  }
}

registerProcessor(playoutProcessor, FastLaneProcessor);
