import { isOpusPacket, maxDtxBytes, opusPacketSamples } from '../../audio/opus-packet.ts';
import { PacketFeed } from '../../audio/playout/packet-feed.ts';
import { readSound, type SoundMessage } from '../../media/fast-lane-packets.ts';
import { ByteRate } from './byte-rate.ts';
import { LaneDecoder } from './lane-decoder.ts';
import { maxPacketSamples, type SoundPacket } from './sound-ring.ts';
import type { SoundSink } from './sound-sink.ts';

/** How long, and how many, packets may come without any sound of them; a few may be copies, or broken. */
const undecoded = { ms: 1_000, packets: 10 } as const;

/** What is aimed at before the worklet has said so. */
const firstTargetMs = 20;

interface OpusPayload {
  readonly bytes: Uint8Array;
  readonly captureTimeUs: number;
  readonly isCopy: boolean;
}

export interface SoundReceptionOptions {
  readonly sink: SoundSink;
  readonly now: () => number;
  /** The lane cannot go on. */
  readonly onFailed: (reason: string) => void;
}

/** From received messages to decoded sound, in the worker: order, redundancy, decoding. */
export class SoundReception {
  readonly #sink: SoundSink;
  readonly #now: () => number;
  readonly #onFailed: (reason: string) => void;
  readonly #feed = new PacketFeed<OpusPayload>();
  readonly #decoder: LaneDecoder;
  readonly #bitrate = new ByteRate();
  readonly #redundancyRate = new ByteRate();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The next packet begins a stream. */
  #begins = true;
  /** Packets that came since one was decoded, and when the first of them did. */
  #undecodedPackets = 0;
  #undecodedSinceMs = 0;
  #running = false;
  /** The newest packet announced a pause of the host. */
  isPaused = false;
  /** Messages and packets that are not what they should be. */
  malformed = 0;
  /** What the worklet aims at: how long a missing packet is worth waiting for. */
  targetMs = firstTargetMs;

  constructor({ sink, now, onFailed }: SoundReceptionOptions) {
    this.#sink = sink;
    this.#now = now;
    this.#onFailed = onFailed;
    this.#decoder = new LaneDecoder({
      now,
      onSound: (packet, data) => this.#decoded(packet, data),
      onRefused: () => {
        this.malformed += 1;
      },
      onFailed: (error) => onFailed(`The sound could not be decoded: ${error.message}`),
    });
  }

  get counts(): {
    readonly received: number;
    readonly recovered: number;
    readonly late: number;
    readonly lost: number;
    readonly dropped: number;
  } {
    const { received, recovered, late, lost } = this.#feed.counts;
    const dropped = this.#sink.dropped + this.#decoder.overruns;
    return { received, recovered, late, lost, dropped };
  }

  /** While nothing can be played, packets are dropped; what comes afterwards is a new stream. */
  setRunning(running: boolean): void {
    if (running === this.#running) return;
    this.#running = running;
    this.beginAnew();
  }

  /** What comes next does not go on where the last packet ended. */
  beginAnew(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#feed.reset();
    this.#decoder.reset();
    this.#begins = true;
    this.#undecodedPackets = 0;
  }

  /** Takes a message of the device's that is no pong. */
  take(bytes: Uint8Array): void {
    const message = readSound(bytes);
    if (message === undefined) {
      this.malformed += 1;
      return;
    }
    this.#bitrate.add(bytes.length);
    if (message.previous !== undefined) this.#redundancyRate.add(message.previous.length + 2);
    if (!this.#running) return;
    if (this.#undecodedPackets === 0) this.#undecodedSinceMs = this.#now();
    this.#undecodedPackets += 1;
    this.#insert(message);
    this.#pump();
  }

  /** To be called a few times a second. Rates in kbit/s; see `LaneDecoder.takeDecodeMs`. */
  tick(): {
    readonly bitrateKbps: number;
    readonly redundancyKbps: number;
    readonly decodeMs: number;
  } {
    const nowMs = this.#now();
    this.#pump();
    const isMany = this.#undecodedPackets >= undecoded.packets;
    if (isMany && nowMs - this.#undecodedSinceMs > undecoded.ms) {
      this.#undecodedPackets = 0;
      this.#onFailed('Sound arrives, but the browser does not decode it.');
    }
    return {
      bitrateKbps: this.#bitrate.kbps(nowMs),
      redundancyKbps: this.#redundancyRate.kbps(nowMs),
      decodeMs: this.#decoder.takeDecodeMs(),
    };
  }

  noteTaken(packets: number): void {
    this.#sink.noteTaken(packets);
  }

  stop(): void {
    this.#running = false;
    clearTimeout(this.#timer);
    this.#decoder.close();
  }

  #insert({ sequence, timestamp, captureTimeUs, payload, previous }: SoundMessage): void {
    const arrivalMs = this.#now();
    if (previous !== undefined) {
      const samples = opusPacketSamples(previous);
      this.#insertPacket({
        sequence: (sequence - 1) & 0xffff,
        timestamp: (timestamp - samples) >>> 0,
        samples,
        payload: {
          bytes: previous,
          captureTimeUs: captureTimeUs - (samples * 1_000) / 48,
          isCopy: true,
        },
        arrivalMs,
        recovered: true,
      });
    }
    this.#insertPacket({
      sequence,
      timestamp,
      samples: opusPacketSamples(payload),
      payload: { bytes: payload, captureTimeUs, isCopy: false },
      arrivalMs,
      recovered: false,
    });
  }

  #insertPacket(packet: Parameters<PacketFeed<OpusPayload>['insert']>[0]): void {
    if (packet.samples === 0 || !isOpusPacket(packet.payload.bytes)) {
      this.malformed += 1;
      return;
    }
    if (this.#feed.insert(packet) !== 'reset') return;
    this.#decoder.reset();
    this.#begins = true;
  }

  /** Decodes whatever has its turn, and comes back when a missing packet is no longer worth waiting for. */
  #pump(): void {
    for (;;) {
      const next = this.#feed.next(this.#now(), this.targetMs);
      if (next === undefined) break;
      const { sequence, timestamp, samples, payload, heldMs } = next;
      const { captureTimeUs, bytes, isCopy } = payload;
      const begins = this.#begins;
      this.#begins = false;
      const isDtx = bytes.length <= maxDtxBytes;
      this.#decoder.decode(
        { sequence, timestamp, samples, captureTimeUs, heldMs, isDtx, isCopy, begins },
        bytes,
      );
      this.isPaused = isDtx;
    }
    clearTimeout(this.#timer);
    const deadlineMs = this.#feed.deadlineMs(this.targetMs);
    this.#timer = Number.isFinite(deadlineMs)
      ? setTimeout(() => this.#pump(), Math.max(0, deadlineMs - this.#now()))
      : undefined;
  }

  #decoded(packet: SoundPacket, data: AudioData): void {
    this.#undecodedPackets = 0;
    if (packet.samples > maxPacketSamples) {
      this.malformed += 1;
      return;
    }
    this.#sink.give(packet, data);
  }
}
