import type { Log } from '../log/log.ts';
import type { Unit } from './native/pipeline.ts';
import { type LivePipeline, OnePipeline, type OpenLivePipeline } from './one-pipeline.ts';
import { type EncoderBoard, liveChanges, picturePipeline } from './pipelines.ts';
import type { EffectiveVideoConfig } from './video-config.ts';

export interface PictureEncoderOptions<T> {
  readonly openPipeline: OpenLivePipeline;
  readonly board: EncoderBoard;
  readonly log: Log;
  /** An encoded picture, with what came with it. `begins`: the first of a new encoder, a keyframe. */
  readonly onUnit: (unit: Unit, about: T, begins: boolean) => void;
  /** The encoder does not end, and no other is made. */
  readonly onHang: () => void;
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

/** A picture that came before its encoder could be made. */
interface KeptPicture<T> {
  readonly picture: PictureToEncode<T>;
  readonly keyframe: boolean;
}

/** As many as a pipeline takes (engine.c). */
const mostKept = 8;

/**
 * Encodes RGB pictures one after another with the settings of the live picture, each answered by one unit.
 * The encoder is made for the first picture and ends with `close()`. While the one before still ends, the
 * first pictures of the next are kept for it: with hardware there may be but one.
 */
export class PictureEncoder<T> {
  readonly #options: PictureEncoderOptions<T>;
  #config: EffectiveVideoConfig;
  readonly #place: OnePipeline;
  readonly #kept: KeptPicture<T>[] = [];
  #keyframeWanted = false;
  #nextPtsNs = 0;
  #begins = true;
  /** What came with the pictures in the encoder, by their timestamps; at most eight (engine.c). */
  readonly #waiting = new Map<number, T>();

  constructor(config: EffectiveVideoConfig, options: PictureEncoderOptions<T>) {
    this.#config = config;
    this.#options = options;
    this.#place = new OnePipeline(options.onHang);
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
      if (element !== 'source-caps') this.#place.running?.set(element, property, value);
    }
  }

  /** Takes a picture, which is copied; false when eight are under way, or the encoder failed. */
  encode(picture: PictureToEncode<T>): boolean {
    this.#place.open(() => this.#begin());
    const pipeline = this.#place.running;
    return pipeline === undefined ? this.#keep(picture) : this.#push(pipeline, picture);
  }

  /** The next picture is a keyframe. */
  forceKeyframe(): void {
    const pipeline = this.#place.running;
    if (pipeline !== undefined) pipeline.forceKeyframe();
    // The first is one without a word.
    else this.#keyframeWanted = this.#kept.length > 0;
  }

  /** Begins to end the encoder; what is in it is lost, and what was kept for it. Idempotent. */
  close(): void {
    this.#kept.length = 0;
    this.#keyframeWanted = false;
    this.#waiting.clear();
    this.#nextPtsNs = 0;
    this.#begins = true;
    this.#place.close();
  }

  #push(pipeline: LivePipeline, picture: PictureToEncode<T>): boolean {
    const { rgb, width, height, durationMs, about } = picture;
    const ptsNs = this.#nextPtsNs;
    if (!pipeline.push({ rgb, width, height, ptsNs })) return false;
    this.#waiting.set(ptsNs, about);
    this.#nextPtsNs += Math.round(durationMs * 1e6);
    return true;
  }

  #keep(picture: PictureToEncode<T>): boolean {
    if (this.#kept.length === mostKept) return false;
    const keyframe = this.#keyframeWanted;
    this.#keyframeWanted = false;
    this.#kept.push({ picture: { ...picture, rgb: Buffer.from(picture.rgb) }, keyframe });
    return true;
  }

  #begin(): LivePipeline {
    const pipeline = this.#open();
    for (const { picture, keyframe } of this.#kept.splice(0)) {
      if (keyframe) pipeline.forceKeyframe();
      this.#push(pipeline, picture);
    }
    if (this.#keyframeWanted) pipeline.forceKeyframe();
    this.#keyframeWanted = false;
    return pipeline;
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
