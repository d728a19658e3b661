import type { OpenPipelineOptions, Pipeline } from './native/pipeline.ts';

/** A pipeline, as far as anything here drives one. */
export interface LivePipeline
  extends Pick<Pipeline, 'set' | 'forceKeyframe' | 'limitRate' | 'push' | 'stats'> {
  /** Resolves when it has ended, with false when it was given up. */
  close(): Promise<boolean>;
}
export type OpenLivePipeline = (options: OpenPipelineOptions) => LivePipeline;

/**
 * The place of a pipeline, whose device or encoder only one may have: the next is made when the one before
 * has ended, which a driver may draw out.
 *
 * INVARIANT: of the pipelines made here at most one has not ended. After one that was given up there is none.
 */
export class OnePipeline {
  readonly #onHang: () => void;
  #running: LivePipeline | undefined;
  #isEnding = false;
  #next: (() => LivePipeline) | undefined;

  /** `onHang`: a driver holds a pipeline that was to end, and the place stays taken. */
  constructor(onHang: () => void) {
    this.#onHang = onHang;
  }

  /** The one that runs; undefined also while one ends. */
  get running(): LivePipeline | undefined {
    return this.#running;
  }

  /** Calls `make` as soon as the place is free, unless `close()` or another `open()` comes first. */
  open(make: () => LivePipeline): void {
    if (this.#isEnding) this.#next = make;
    else this.#running ??= make();
  }

  /** Ends the one that runs, and forgets the one that waits. Idempotent. */
  close(): void {
    const pipeline = this.#running;
    this.#next = undefined;
    this.#running = undefined;
    if (pipeline !== undefined) void this.#end(pipeline);
  }

  async #end(pipeline: LivePipeline): Promise<void> {
    this.#isEnding = true;
    if (!(await pipeline.close())) {
      this.#onHang();
      return;
    }
    this.#isEnding = false;
    const make = this.#next;
    this.#next = undefined;
    this.#running = make?.();
  }
}
