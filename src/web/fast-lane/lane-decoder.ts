import type { SoundPacket } from './sound-ring.ts';

/** What WebCodecs is asked for (W3C webcodecs-opus-codec-registration §4: no description, so plain RFC 6716 packets). */
export const opusDecoderConfig: AudioDecoderConfig = {
  codec: 'opus',
  sampleRate: 48_000,
  numberOfChannels: 2,
};

/** Packets in the decoder at most; more means that it does not keep up, and the newest is dropped. */
const maxPending = 64;

/** So many failures within so long are no longer a broken packet now and then. */
const maxFailures = 3;
const failureWindowMs = 1_000;

export interface LaneDecoderOptions {
  /** In the order decoded; `packet.samples` is what came out. `data` is closed afterwards. */
  readonly onSound: (packet: SoundPacket, data: AudioData) => void;
  /** A packet was refused by the decoder, which was replaced: the next ones are decoded. */
  readonly onRefused: () => void;
  /** It fails again and again. Once, and the last of all. */
  readonly onFailed: (error: Error) => void;
  readonly now: () => number;
}

interface Pending {
  readonly packet: SoundPacket;
  readonly sinceMs: number;
}

/**
 * Decodes Opus packets with WebCodecs. Browsers give one output a packet and timestamps of their own,
 * so outputs are known by their order.
 */
export class LaneDecoder {
  readonly #options: LaneDecoderOptions;
  #decoder: AudioDecoder | undefined;
  #pending: Pending[] = [];
  #failuresMs: number[] = [];
  #decodeMs = 0;
  #decoded = 0;
  /** Packets dropped because too many waited. */
  overruns = 0;

  constructor(options: LaneDecoderOptions) {
    this.#options = options;
  }

  /** Mean time from `decode` to the sound since this was last asked, in ms; −1: nothing was decoded. */
  takeDecodeMs(): number {
    const mean = this.#decoded === 0 ? -1 : this.#decodeMs / this.#decoded;
    this.#decodeMs = 0;
    this.#decoded = 0;
    return mean;
  }

  decode(packet: SoundPacket, payload: Uint8Array): void {
    if (this.#pending.length >= maxPending) {
      this.overruns += 1;
      return;
    }
    try {
      this.#decoder ??= this.#open();
      this.#pending.push({ packet, sinceMs: this.#options.now() });
      // Each Opus packet can be decoded by itself; what it builds on is in the decoder.
      this.#decoder.decode(
        new EncodedAudioChunk({ type: 'key', timestamp: packet.timestamp, data: payload }),
      );
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Forgets what it was at and decodes anew: another stream begins. */
  reset(): void {
    this.close();
    this.#failuresMs = [];
  }

  /** Idempotent. Nothing is reported afterwards, unless something is decoded anew. */
  close(): void {
    const decoder = this.#decoder;
    this.#decoder = undefined;
    this.#pending = [];
    if (decoder !== undefined && decoder.state !== 'closed') decoder.close();
  }

  #open(): AudioDecoder {
    const decoder = new AudioDecoder({
      output: (data) => {
        if (this.#decoder === decoder) this.#output(data);
        data.close();
      },
      error: (error) => {
        if (this.#decoder === decoder) this.#failed(error);
      },
    });
    decoder.configure(opusDecoderConfig);
    return decoder;
  }

  #output(data: AudioData): void {
    const pending = this.#pending.shift();
    if (pending === undefined) return;
    this.#decodeMs += this.#options.now() - pending.sinceMs;
    this.#decoded += 1;
    pending.packet.samples = data.numberOfFrames;
    this.#options.onSound(pending.packet, data);
  }

  #failed(error: unknown): void {
    const nowMs = this.#options.now();
    this.close();
    this.#failuresMs = this.#failuresMs.filter((atMs) => atMs > nowMs - failureWindowMs);
    this.#failuresMs.push(nowMs);
    if (this.#failuresMs.length < maxFailures) this.#options.onRefused();
    else this.#options.onFailed(error instanceof Error ? error : new Error(String(error)));
  }
}
