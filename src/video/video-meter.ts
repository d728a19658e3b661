import type { SourceNumbers, SourceState } from './live-source.ts';
import { codecOf, type EffectiveVideoConfig } from './video-config.ts';
import type { VideoStats } from './video-stats.ts';

export interface MeterReading {
  readonly config: EffectiveVideoConfig;
  readonly nowMs: number;
  readonly state: SourceState;
  readonly size: { readonly width: number; readonly height: number };
  readonly numbers: SourceNumbers;
  /** Frames that main did not take. */
  readonly unsent: number;
}

/** Counts frames as they pass, and makes the child's numbers of them. */
export class VideoMeter {
  #sinceMs: number | undefined;
  #frames = 0;
  #bytes = 0;
  #slateFrames = 0;
  #segmentFrames = 0;
  #segmentFramesRefused = 0;

  live(bytes: number): void {
    this.#frames += 1;
    this.#bytes += bytes;
  }

  slate(): void {
    this.#slateFrames += 1;
  }

  segment(): void {
    this.#segmentFrames += 1;
  }

  segmentRefused(): void {
    this.#segmentFramesRefused += 1;
  }

  /** The numbers; rates since they were last read. */
  read({ config, nowMs, state, size, numbers, unsent }: MeterReading): VideoStats {
    const spanS = Math.max(0.001, (nowMs - (this.#sinceMs ?? nowMs - 1_000)) / 1_000);
    const framesPerSecond = round(this.#frames / spanS);
    const measuredKbps = round((this.#bytes * 8) / 1_000 / spanS);
    this.#sinceMs = nowMs;
    this.#frames = 0;
    this.#bytes = 0;
    return {
      ...state,
      codec: codecOf(config.encoder),
      ...size,
      framesPerSecond,
      bitrateKbps: config.bitrateKbps,
      measuredKbps,
      keyframes: numbers.keyframes,
      framesEncoded: numbers.units,
      framesDropped: numbers.dropped + unsent,
      encodeMeanMs: round(numbers.encodeMeanMs),
      encodeMaxMs: round(numbers.encodeMaxMs),
      captureToEncodedMs: round(numbers.captureToEncodedMs),
      slateFrames: this.#slateFrames,
      segmentFrames: this.#segmentFrames,
      segmentFramesRefused: this.#segmentFramesRefused,
      reopens: numbers.reopens,
    };
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
