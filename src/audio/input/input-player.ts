import type { MediaMessage } from '../../ipc/messages.ts';
import type { MicrophoneSettings } from '../microphone-settings.ts';
import { maxDecodedSamples, type OpusDecoder } from '../native/decoder-binding.ts';
import type { Playback } from '../native/playback-binding.ts';
import { isOpusPacket, maxDtxBytes, opusPacketSamples } from '../opus-packet.ts';
import { DriftController } from '../playout/drift-controller.ts';
import { JitterBuffer } from '../playout/jitter-buffer.ts';
import { PercentileWindow } from '../playout/percentile-window.ts';
import type { JitterItem, PlayoutStep } from '../playout/playout-step.ts';
import { lengthen, shorten } from '../playout/time-stretch.ts';
import { readInputFrame } from './input-frames.ts';
import type { InputStats } from './input-stats.ts';

export interface InputPlayerOptions {
  readonly decoder: Pick<OpusDecoder, 'decode' | 'decodeFec' | 'hasFec' | 'conceal' | 'reset'>;
  readonly playback: Pick<Playback, 'write' | 'queued' | 'setDriftPpm'>;
  /** CLOCK_MONOTONIC in ms, as the main process stamps arrivals. */
  readonly nowMs: () => number;
}

/** What of the child's numbers concerns packets and playing. */
export type PlayerNumbers = Pick<
  InputStats,
  | 'receivedFrames'
  | 'receivedBytes'
  | 'lateFrames'
  | 'duplicateFrames'
  | 'malformedFrames'
  | 'droppedFrames'
  | 'decodedFrames'
  | 'fecSamples'
  | 'plcSamples'
  | 'dtxSamples'
  | 'shortenedSamples'
  | 'lengthenedSamples'
  | 'streamResets'
  | 'targetMs'
  | 'levelMs'
  | 'latencyMeanMs'
  | 'latencyP95Ms'
  | 'jitterMs'
  | 'driftPpm'
  | 'decodeMeanUs'
  | 'decodeMaxUs'
  | 'lastFrameAgeMs'
> & {
  /** Times the sender ended, upon which the ring runs dry by intent. */
  readonly endings: number;
};

const samplesPerMs = 48;
const channels = 2;

/** What fits a packet of RTP in 1,500 bytes; more is no sound of a browser's. */
const maxPacketBytes = 1_488;

/** Packets of more than 60 ms come only where long ones were asked for. */
const usualMaxSamples = 2_880;
const longFrameMs = 40;

/** A packet that waited longer on its way here is a backlog: this process, or main, was stopped. */
const maxAgeMs = 300;

/** Lengthening adds 15 ms at most. */
const pcmSamples = maxDecodedSamples + 720;

const steerEveryMs = 200;

/** Steps one wake-up may take: far more than the ring has room for. */
const maxSteps = 64;

/** How late this process and the device may be for nothing, and how much later they can be got used to. */
const usualLatenessMs = 4;
const mostMoreLatenessMs = 16;
/**
 * Seconds without a starvation after which what was got used to is given back, a period at a time. Five
 * minutes: a machine that was late once is so again, and each time it is heard (with 10 s, every 20 s).
 */
const calmSeconds = 300;

/** The level of the ring, in ms, below which the playback is to ask for more. */
export function lowWaterMs({ periodMs }: { readonly periodMs: number }): number {
  return periodMs + usualLatenessMs + mostMoreLatenessMs;
}

/**
 * Plays the packets of whoever holds the microphone: checks them, keeps them until their moment, decodes
 * them into the playback's ring, and keeps the delay at its target.
 *
 * INVARIANT: while the device is not open nothing is kept, so that what is heard is never a backlog.
 *
 * Cost of a packet: its copy, one object, and the decoder's work.
 */
export class InputPlayer {
  readonly #options: InputPlayerOptions;
  readonly #pcm = new Float32Array(pcmSamples * channels);
  readonly #drift = new DriftController();
  readonly #latencies = new PercentileWindow({
    spanMs: 1_000,
    binWidth: 0.5,
    bins: 1_024,
    capacity: 512,
  });
  #buffer = new JitterBuffer<Buffer>();
  #bufferEmpty = true;
  #maxSamples = usualMaxSamples;
  #periodMs = 5;
  /** Lateness got used to, beyond the usual. */
  #moreLatenessMs = 0;
  #calmSeconds = 0;
  #driftPpm = 0;
  #steeredMs = Number.NEGATIVE_INFINITY;
  /** The stream is being played. */
  #sounding = false;
  /** What was played last came from a packet. */
  #steady = false;
  #lastArrivalMs: number | undefined;
  #decodeUs = { count: 0, sum: 0, max: 0 };
  readonly #counts = {
    receivedFrames: 0,
    receivedBytes: 0,
    lateFrames: 0,
    duplicateFrames: 0,
    malformedFrames: 0,
    droppedFrames: 0,
    decodedFrames: 0,
    fecSamples: 0,
    plcSamples: 0,
    dtxSamples: 0,
    shortenedSamples: 0,
    lengthenedSamples: 0,
    streamResets: 0,
    endings: 0,
  };

  constructor(options: InputPlayerOptions) {
    this.#options = options;
  }

  /** What packets may be like, and how often the device's thread takes sound. */
  configure(settings: { readonly expected: MicrophoneSettings; readonly periodMs: number }): void {
    this.#periodMs = settings.periodMs;
    const long = settings.expected.frameMs >= longFrameMs;
    this.#maxSamples = long ? maxDecodedSamples : usualMaxSamples;
  }

  /** Takes a frame of the main process; whatever is wrong with it, it is counted. */
  receive(message: MediaMessage): void {
    this.#counts.receivedFrames += 1;
    const frame = readInputFrame(message);
    const samples = frame === undefined ? 0 : this.#samplesOf(frame.payload);
    if (frame === undefined || samples === 0) {
      this.#counts.malformedFrames += 1;
      return;
    }
    this.#counts.receivedBytes += frame.payload.length;
    const nowMs = this.#options.nowMs();
    const arrivalMs = Math.min(Number(message.timestampNs) / 1e6, nowMs);
    this.#lastArrivalMs = arrivalMs;
    const isOpen = this.#options.playback.queued().deviceSamples >= 0;
    if (!isOpen) this.forgetStream();
    if (!isOpen || nowMs - arrivalMs > maxAgeMs) {
      this.#counts.droppedFrames += 1;
      return;
    }
    const { ssrc, sequence, timestamp } = frame;
    const payload = Buffer.from(frame.payload);
    const isDtx = payload.length <= maxDtxBytes;
    this.#insert({ ssrc, sequence, timestamp, samples, isDtx, payload, arrivalMs });
    this.need();
  }

  /**
   * Hands on what is to be played next, at the last moment: when the ring holds no more than the period
   * that the thread takes at once, and the lateness. To ask earlier would be to ask for more delay.
   */
  need(): void {
    for (let steps = 0; steps < maxSteps; steps += 1) {
      const { ringSamples, deviceSamples } = this.#options.playback.queued();
      if (deviceSamples < 0) this.forgetStream();
      const nowMs = this.#options.nowMs();
      const lastMs = this.#periodMs + usualLatenessMs + this.#moreLatenessMs;
      const ringMs = ringSamples / samplesPerMs;
      if (deviceSamples < 0 || ringMs >= lastMs) return;
      const queuedMs = ringMs + deviceSamples / samplesPerMs;
      this.#steer(nowMs, queuedMs);
      const step = this.#buffer.next({ nowMs, queuedMs, final: true });
      if (!this.#play(step, nowMs + queuedMs)) return;
    }
  }

  /**
   * To be told once a second whether the ring ran dry while sound was due: then it was filled too late, or
   * emptied too much at once, and holds more from now on.
   */
  adapt({ starved }: { readonly starved: boolean }): void {
    if (starved) this.deviceInterrupted();
    this.#calmSeconds = starved ? 0 : this.#calmSeconds + 1;
    if (starved) {
      this.#moreLatenessMs = Math.min(this.#moreLatenessMs + this.#periodMs, mostMoreLatenessMs);
    } else if (this.#calmSeconds >= calmSeconds) {
      this.#calmSeconds = 0;
      this.#moreLatenessMs = Math.max(0, this.#moreLatenessMs - this.#periodMs);
    }
  }

  /** The device ran dry, upon which it plays everything later. */
  deviceInterrupted(): void {
    this.#drift.interrupt();
  }

  /** To be called when the device is closed: what waits now must not be heard when it opens, of another holder maybe. */
  forgetStream(): void {
    if (this.#bufferEmpty) return;
    const { overflow, skipped } = this.#buffer.counts;
    this.#counts.droppedFrames += overflow + skipped + this.#buffer.size;
    this.#buffer = new JitterBuffer();
    this.#bufferEmpty = true;
    this.#sounding = false;
    this.#steady = false;
    this.#options.decoder.reset();
    this.forgetDrift();
  }

  /** Another sound card, another sender: what was learned of the others' clocks does not hold. */
  forgetDrift(): void {
    this.#drift.reset();
    this.#setDrift(0);
  }

  /** The numbers; the decoder's times are those since they were last asked for. */
  numbers(): PlayerNumbers {
    const { playback, nowMs } = this.#options;
    const { ringSamples, deviceSamples } = playback.queued();
    const now = nowMs();
    const queuedMs = (ringSamples + Math.max(deviceSamples, 0)) / samplesPerMs;
    this.#latencies.expire(now);
    const { count, sum, max } = this.#decodeUs;
    this.#decodeUs = { count: 0, sum: 0, max: 0 };
    const { overflow, skipped } = this.#buffer.counts;
    return {
      ...this.#counts,
      droppedFrames: this.#counts.droppedFrames + overflow + skipped,
      targetMs: this.#buffer.targetMs,
      levelMs: this.#sounding ? Math.max(0, this.#buffer.levelMs(queuedMs, now)) : 0,
      latencyMeanMs: Math.max(0, this.#latencies.mean),
      latencyP95Ms: this.#latencies.percentile(0.95),
      jitterMs: this.#buffer.jitterMs,
      driftPpm: this.#drift.driftPpm,
      decodeMeanUs: count === 0 ? 0 : sum / count,
      decodeMaxUs: max,
      lastFrameAgeMs:
        this.#lastArrivalMs === undefined ? -1 : Math.max(0, now - this.#lastArrivalMs),
    };
  }

  /** Samples of a packet that may be played; 0: it may not. */
  #samplesOf(packet: Buffer): number {
    if (packet.length > maxPacketBytes || !isOpusPacket(packet)) return 0;
    const samples = opusPacketSamples(packet);
    return samples <= this.#maxSamples ? samples : 0;
  }

  #insert(item: JitterItem<Buffer>): void {
    this.#bufferEmpty = false;
    const outcome = this.#buffer.insert(item);
    if (outcome === 'late') this.#counts.lateFrames += 1;
    if (outcome === 'duplicate') this.#counts.duplicateFrames += 1;
    if (outcome !== 'reset') return;
    this.#counts.streamResets += 1;
    this.#options.decoder.reset();
    this.forgetDrift();
  }

  #steer(nowMs: number, queuedMs: number): void {
    if (!this.#steady || nowMs - this.#steeredMs < steerEveryMs) return;
    this.#steeredMs = nowMs;
    const { targetMs, adjustedMs } = this.#buffer;
    const levelMs = this.#buffer.levelMs(queuedMs, nowMs);
    this.#setDrift(this.#drift.update({ nowMs, levelMs, targetMs, adjustedMs }));
  }

  #setDrift(ppm: number): void {
    if (ppm === this.#driftPpm) return;
    this.#driftPpm = ppm;
    this.#options.playback.setDriftPpm(ppm);
  }

  /** False when there is nothing to play now. */
  #play(step: PlayoutStep<Buffer>, playedMs: number): boolean {
    this.#steady = step.kind === 'decode' || step.kind === 'recover';
    switch (step.kind) {
      case 'wait':
        return false;
      case 'idle':
        if (this.#sounding) this.#counts.endings += 1;
        this.#sounding = false;
        return false;
      case 'conceal':
        this.#conceal(step.samples, step.because === 'dtx' ? 'dtxSamples' : 'plcSamples');
        break;
      case 'recover':
        this.#recover(step.next.payload, step.samples);
        break;
      case 'decode':
        this.#decode(step);
        this.#latencies.add(this.#options.nowMs(), Math.max(0, playedMs - step.item.arrivalMs));
        break;
    }
    this.#sounding = true;
    return true;
  }

  #decode({ item, stretch, stretchMs }: PlayoutStep<Buffer> & { kind: 'decode' }): void {
    const { decoder, nowMs } = this.#options;
    const beganMs = nowMs();
    const decoded = decoder.decode(item.payload, this.#pcm);
    this.#noteDecodeUs((nowMs() - beganMs) * 1_000);
    if (decoded === 0) {
      this.#counts.malformedFrames += 1;
      this.#conceal(item.samples, 'plcSamples');
      return;
    }
    this.#counts.decodedFrames += 1;
    let samples = decoded;
    if (stretch === 'shorten') {
      samples = shorten(this.#pcm, decoded, channels, stretchMs);
      this.#counts.shortenedSamples += decoded - samples;
    } else if (stretch === 'lengthen') {
      samples = lengthen(this.#pcm, decoded, channels, stretchMs);
      this.#counts.lengthenedSamples += samples - decoded;
    }
    this.#options.playback.write(this.#pcm, samples);
  }

  #recover(next: Buffer, samples: number): void {
    const { decoder, playback } = this.#options;
    const recovered = decoder.hasFec(next) ? decoder.decodeFec(next, samples, this.#pcm) : 0;
    if (recovered === 0) {
      this.#conceal(samples, 'plcSamples');
      return;
    }
    this.#counts.fecSamples += recovered;
    playback.write(this.#pcm, recovered);
  }

  #conceal(samples: number, counter: 'plcSamples' | 'dtxSamples'): void {
    const made = this.#options.decoder.conceal(samples, this.#pcm);
    // A decoder that cannot leaves silence of the right length, so that what follows is in time.
    if (made === 0) this.#pcm.fill(0, 0, samples * channels);
    this.#counts[counter] += samples;
    this.#options.playback.write(this.#pcm, samples);
  }

  #noteDecodeUs(us: number): void {
    this.#decodeUs.count += 1;
    this.#decodeUs.sum += us;
    this.#decodeUs.max = Math.max(this.#decodeUs.max, us);
  }
}
