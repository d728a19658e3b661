import type { Log } from '../log/log.ts';
import type { PipelineEvent, Unit } from './native/pipeline.ts';
import { type LivePipeline, OnePipeline, type OpenLivePipeline } from './one-pipeline.ts';
import { type EncoderBoard, liveChanges, livePipeline } from './pipelines.ts';
import { type SourceFault, sourceFault } from './source-fault.ts';
import { addTotals, finished, noTotals, type SourceTotals } from './source-totals.ts';
import type { EffectiveVideoConfig } from './video-config.ts';
import type { VideoSignal } from './video-stats.ts';

export interface SourceState {
  readonly signal: VideoSignal;
  /** In words; empty with `ok`. */
  readonly reason: string;
}

export type SourceNumbers = SourceTotals & { readonly reopens: number; readonly busyMs: number };

export interface LiveSourceOptions {
  readonly openPipeline: OpenLivePipeline;
  readonly board: EncoderBoard;
  readonly log: Log;
  /** CLOCK_MONOTONIC in ms. */
  readonly nowMs: () => number;
  /** Whether a device's file is there. */
  readonly exists: (path: string) => boolean;
  /** An encoded picture; `discontinuity` says that it does not follow the one before. */
  readonly onUnit: (unit: Unit, discontinuity: boolean) => void;
  readonly onState: (state: SourceState) => void;
  /** The device could be opened, and pictures come. */
  readonly onOpened: () => void;
  readonly onLost: (lost: { readonly error: string; readonly retryMs: number }) => void;
  /** A driver holds the pipeline that was to end: this process cannot open the device any more. */
  readonly onHang: () => void;
}

/** Without a picture for so long, a live source has none. */
const noPictureMs = 2_000;
/** Then the device is opened anew: some drivers never come back from a signal that went away. */
const reopenMs = 10_000;
/** Between two tries: the first, doubled up to the last. */
const firstRetryMs = 500;
const lastRetryMs = 5_000;

const idle: SourceState = { signal: 'opening', reason: 'nobody watches' };
const silent: SourceFault = { signal: 'no-signal', reason: 'the device delivers no pictures' };
const opening: SourceState = { signal: 'opening', reason: 'the capture device is being opened' };

/**
 * The host's picture: keeps a pipeline open while it is wanted, says what comes of it, and tries again
 * when nothing does. Call `look()` twice a second.
 *
 * A device is busy until the pipeline that had it has ended, which can take seconds: states are told at
 * once, and what is configured meanwhile is what the next pipeline begins with.
 *
 * INVARIANT: after `fail()` there is no pipeline until the next try; a pipeline that was closed says nothing.
 */
export class LiveSource {
  readonly #options: LiveSourceOptions;
  #config: EffectiveVideoConfig | undefined;
  readonly #place: OnePipeline;
  #state: SourceState = idle;
  #totals: SourceTotals = noTotals;
  /** When the last picture came, or the pipeline was opened. */
  #lastPictureMs = 0;
  #pictures = 0;
  #timings: string | undefined;
  #needsKeyframe = false;
  #retryAtMs = 0;
  #retryMs = firstRetryMs;
  #wasThere = true;
  #reopens = 0;

  constructor(options: LiveSourceOptions) {
    this.#options = options;
    this.#place = new OnePipeline(options.onHang);
  }

  get state(): SourceState {
    return this.#state;
  }

  /** Opens the source, changes it live, opens it anew, or closes it: as the configuration wants it. */
  configure(config: EffectiveVideoConfig): void {
    const before = this.#config;
    this.#config = config;
    if (!config.active) {
      this.#close();
      this.#setState(idle);
    } else if (
      before === undefined ||
      !before.active ||
      before.device !== config.device ||
      before.encoder !== config.encoder
    ) {
      this.#close();
      this.#retryMs = firstRetryMs;
      this.#setState(opening);
      this.#open();
    } else {
      for (const { element, property, value } of liveChanges(before, config)) {
        this.#place.running?.set(element, property, value);
      }
      this.#place.running?.limitRate(config.framesPerSecond);
    }
  }

  forceKeyframe(): void {
    this.#place.running?.forceKeyframe();
  }

  /** Notices what does not come: pictures, or the device's file. */
  look(): void {
    const config = this.#config;
    if (config === undefined || !config.active) return;
    const now = this.#options.nowMs();
    const silentMs = now - this.#lastPictureMs;
    if (this.#place.running === undefined) {
      // One that is opened anew without a word, and takes its time.
      if (silentMs > noPictureMs && this.#state.signal === 'ok') this.#setState(silent);
      const there = this.#isThere(config);
      if (now >= this.#retryAtMs || (there && !this.#wasThere)) this.#open();
      this.#wasThere = there;
    } else if (silentMs > reopenMs) {
      this.#fail(silent, firstRetryMs);
    } else if (silentMs > noPictureMs && this.#state.signal !== 'no-signal') {
      this.#needsKeyframe = true;
      this.#setState(silent);
    }
  }

  /**
   * Counters over all pipelines of this process, encoder times since they were last asked for, and how long
   * the present pipeline's thread has been in one call.
   */
  numbers(): SourceNumbers {
    const now = this.#place.running?.stats();
    const totals = now === undefined ? this.#totals : addTotals(this.#totals, now);
    return { ...totals, reopens: this.#reopens, busyMs: now?.busyMs ?? 0 };
  }

  /** Closes the device. Idempotent. */
  stop(): void {
    this.#config = undefined;
    this.#close();
  }

  /** Opens the device as soon as it is free, with what is configured by then. */
  #open(): void {
    const config = this.#config;
    if (config !== undefined) this.#place.open(() => this.#begin(this.#config ?? config));
  }

  #begin(config: EffectiveVideoConfig): LivePipeline {
    const isDevice = config.device.startsWith('/dev/');
    this.#lastPictureMs = this.#options.nowMs();
    this.#pictures = 0;
    this.#timings = undefined;
    this.#needsKeyframe = true;
    const pipeline = this.#options.openPipeline({
      description: livePipeline(config, this.#options.board),
      v4l2Device: isDevice ? config.device : undefined,
      onUnit: (unit) => this.#take(unit),
      onEvent: (event) => this.#happened(event),
    });
    pipeline.limitRate(config.framesPerSecond);
    return pipeline;
  }

  #take(unit: Unit): void {
    this.#lastPictureMs = this.#options.nowMs();
    if (this.#state.signal !== 'ok') {
      // What came before it is not what a viewer saw last: only a keyframe can follow the slate.
      if (!unit.keyframe) {
        if (this.#pictures > 0) this.#place.running?.forceKeyframe();
        return;
      }
      if (this.#pictures === 0) this.#options.onOpened();
      this.#retryMs = firstRetryMs;
      this.#setState({ signal: 'ok', reason: '' });
    }
    this.#pictures += 1;
    const breaks = this.#needsKeyframe || unit.discontinuity;
    this.#needsKeyframe = false;
    this.#options.onUnit(unit, breaks);
  }

  #happened({ name, source, text, detail }: PipelineEvent): void {
    const device = this.#config?.device ?? '';
    if (name === 'error') this.#fail(sourceFault({ device, text, detail }));
    else if (name === 'ended') this.#fail({ signal: 'lost', reason: 'the device ended' });
    else if (name === 'signal') this.#signal(text, detail);
    else if (name === 'warning')
      this.#options.log.warn({ device, source, text, detail }, 'pipeline');
  }

  /** What the device says of its input. */
  #signal(kind: string, words: string): void {
    if (kind === 'no-signal' || kind === 'unsupported') {
      // To ask again what a device that is there has at its input costs little.
      this.#fail({ signal: kind, reason: words }, firstRetryMs);
    } else if (kind === 'lost') {
      this.#fail({ signal: kind, reason: words });
    } else if (this.#timings === undefined) {
      this.#timings = words;
    } else if (words !== this.#timings) {
      this.#options.log.info({ before: this.#timings, now: words }, 'the signal changed');
      this.#close();
      this.#reopens += 1;
      this.#open();
    }
  }

  #fail(fault: SourceFault, retryMs = this.#retryMs): void {
    const { log, nowMs, onLost } = this.#options;
    const device = this.#config?.device ?? '';
    const before = this.#state;
    this.#close();
    this.#reopens += 1;
    this.#retryAtMs = nowMs() + retryMs;
    this.#retryMs = Math.min(lastRetryMs, this.#retryMs * 2);
    this.#wasThere = this.#config !== undefined && this.#isThere(this.#config);
    this.#setState(fault);
    if (fault.signal === before.signal && fault.reason === before.reason) return;
    log.warn({ device, ...fault, retryMs }, 'no picture from the device');
    // One that is gone says so in several ways: first as it fails, then as it is not found.
    if (fault.signal === 'lost' && before.signal !== 'lost') {
      onLost({ error: fault.reason, retryMs });
    }
  }

  #isThere({ device }: EffectiveVideoConfig): boolean {
    return !device.startsWith('/dev/') || this.#options.exists(device);
  }

  #close(): void {
    const pipeline = this.#place.running;
    if (pipeline !== undefined) this.#totals = finished(this.#totals, pipeline.stats());
    this.#place.close();
  }

  #setState(state: SourceState): void {
    if (state.signal === this.#state.signal && state.reason === this.#state.reason) return;
    this.#state = state;
    this.#options.onState(state);
  }
}
