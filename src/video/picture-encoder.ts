import type { Log } from '../log/log.ts';
import type { LivePipeline, OpenLivePipeline } from './live-source.ts';
import type { Unit } from './native/pipeline.ts';
import { type EncoderBoard, liveChanges, picturePipeline } from './pipelines.ts';
import type { EffectiveVideoConfig } from './video-config.ts';

export interface PictureEncoderOptions<T> {
  readonly openPipeline: OpenLivePipeline;
  readonly board: EncoderBoard;
  readonly log: Log;
  /** An encoded picture, with what came with it. `begins`: the first of a new encoder, a keyframe. */
  readonly onUnit: (unit: Unit, about: T, begins: boolean) => void;
}

/** A picture on its way into the encoder. */
export interface PictureToEncode<T> {
  readonly rgb: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** How long it is shown, in ms: the rate control goes by it. */
  readonly durationMs: number;
  readonly about: T;
}

/**
 * Encodes RGB pictures one after another with the settings of the live picture, each answered by one unit.
 * The encoder is made for the first picture and ends with `close()`.
 */
export class PictureEncoder<T> {
  readonly #options: PictureEncoderOptions<T>;
  #config: EffectiveVideoConfig;
  #pipeline: LivePipeline | undefined;
  #nextPtsNs = 0;
  #begins = true;
  /** What came with the pictures in the encoder, by their timestamps; at most eight (engine.c). */
  readonly #waiting = new Map<number, T>();

  constructor(config: EffectiveVideoConfig, options: PictureEncoderOptions<T>) {
    this.#config = config;
    this.#options = options;
  }

  /** Another codec needs a new encoder; the rest is changed in the running one. */
  configure(config: EffectiveVideoConfig): void {
    const before = this.#config;
    this.#config = config;
    if (before.encoder !== config.encoder) {
      this.close();
      return;
    }
    for (const { element, property, value } of liveChanges(before, config)) {
      if (element !== 'source-caps') this.#pipeline?.set(element, property, value);
    }
  }

  /** Takes a picture, which is copied; false when eight are under way, or the encoder failed. */
  encode({ rgb, width, height, durationMs, about }: PictureToEncode<T>): boolean {
    this.#pipeline ??= this.#open();
    const ptsNs = this.#nextPtsNs;
    if (!this.#pipeline.push({ rgb, width, height, ptsNs })) return false;
    this.#waiting.set(ptsNs, about);
    this.#nextPtsNs += Math.round(durationMs * 1e6);
    return true;
  }

  /** The next picture is a keyframe. */
  forceKeyframe(): void {
    this.#pipeline?.forceKeyframe();
  }

  /** Ends the encoder; what is in it is lost. False when it hangs. Idempotent. */
  close(): boolean {
    const pipeline = this.#pipeline;
    this.#pipeline = undefined;
    this.#waiting.clear();
    this.#nextPtsNs = 0;
    this.#begins = true;
    return pipeline?.close() ?? true;
  }

  #open(): LivePipeline {
    return this.#options.openPipeline({
      description: picturePipeline(this.#config, this.#options.board),
      onUnit: (unit) => this.#take(unit),
      onEvent: ({ name, text, detail }) => {
        if (name !== 'error') return;
        this.#options.log.error({ text, detail }, 'pictures cannot be encoded');
        this.close();
      },
    });
  }

  #take(unit: Unit): void {
    const about = this.#waiting.get(unit.ptsNs);
    if (about === undefined) return;
    this.#waiting.delete(unit.ptsNs);
    const begins = this.#begins;
    this.#begins = false;
    this.#options.onUnit(unit, about, begins);
  }
}
