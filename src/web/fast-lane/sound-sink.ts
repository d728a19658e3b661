import type { PlayoutCommand } from './lane-messages.ts';
import { maxPacketSamples, type SoundPacket, SoundRing } from './sound-ring.ts';

/** Where the worker puts decoded sound for the worklet. */
export interface SoundSink {
  /** Packets for which there was no room. */
  readonly dropped: number;
  /** Copies the sound of `data`; the packet's `samples` are at most {@link maxPacketSamples}. */
  give(packet: SoundPacket, data: AudioData): void;
  /** The worklet has taken so many packets since it began. */
  noteTaken(packets: number): void;
}

/** Shared memory: no allocation, and no message a packet. */
export class RingSink implements SoundSink {
  readonly #ring: SoundRing;
  readonly #left = new Float32Array(maxPacketSamples);
  readonly #right = new Float32Array(maxPacketSamples);

  constructor(buffer: SharedArrayBuffer) {
    this.#ring = new SoundRing(buffer);
  }

  get dropped(): number {
    return this.#ring.dropped;
  }

  give(packet: SoundPacket, data: AudioData): void {
    copyChannels(data, this.#left, this.#right);
    this.#ring.write(packet, this.#left, this.#right);
  }

  noteTaken(): void {
    // The ring itself knows how much room it has.
  }
}

/** Packets on their way to a worklet that has not said yet that it took them: more than come in the quarter of a second between two answers, several times over. */
const maxUnderway = 512;

/** Messages, where memory cannot be shared. Each packet's sound is handed over, not copied again. */
export class PortSink implements SoundSink {
  readonly #port: MessagePort;
  #given = 0;
  #taken = 0;
  dropped = 0;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  give(packet: SoundPacket, data: AudioData): void {
    if (this.#given - this.#taken >= maxUnderway) {
      this.dropped += 1;
      return;
    }
    const left = new Float32Array(packet.samples);
    const right = new Float32Array(packet.samples);
    copyChannels(data, left, right);
    const message: PlayoutCommand = { type: 'sound', packet, left, right };
    this.#port.postMessage(message, [left.buffer, right.buffer]);
    this.#given += 1;
  }

  noteTaken(packets: number): void {
    this.#taken = packets;
  }
}

/** Both channels, or the one there is twice. */
function copyChannels(data: AudioData, left: Float32Array, right: Float32Array): void {
  data.copyTo(left, { planeIndex: 0, format: 'f32-planar' });
  data.copyTo(right, {
    planeIndex: data.numberOfChannels > 1 ? 1 : 0,
    format: 'f32-planar',
  });
}
