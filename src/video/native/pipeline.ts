import {
  type Event,
  type NativeVideo,
  nativeVideo,
  type PipelineStats,
  type Unit,
} from './native-video.ts';

/** A running GStreamer pipeline (docs/architecture.md); all of it runs in threads of its own. */

export type { Event as PipelineEvent, PipelineStats, Unit } from './native-video.ts';

export interface OpenPipelineOptions {
  /** In gst-launch's words, with the element names of engine.h. */
  readonly description: string;
  /** Names of element factories: an `elements` event says which of them GStreamer has. */
  readonly elements?: readonly string[] | undefined;
  /** A V4L2 device whose signal is watched; the pipeline is launched only when it has one. */
  readonly v4l2Device?: string | undefined;
  readonly onUnit: (unit: Unit) => void;
  readonly onEvent: (event: Event) => void;
}

/**
 * How long a pipeline may take to end; one that a driver holds is then left alone. A v4l2src that was just
 * told of another signal first asks for all formats anew, which takes seconds with some drivers.
 */
const closeDeadlineMs = 10_000;

/** Looking for elements reads GStreamer's registry, which it makes anew when plugins changed. */
const elementsDeadlineMs = 3_000;

/** Those that have not ended, nor been given up. */
const alive = new Set<Pipeline>();

/** No thread may run through the end of the process: all are told, and waited for together. */
function endWithProcess(): void {
  for (const pipeline of alive) void pipeline.close();
  for (const pipeline of alive) pipeline.join();
}

export class Pipeline {
  readonly #options: OpenPipelineOptions;
  readonly #native: NativeVideo;
  readonly #handle: object;
  /** Resolves with whether it ended, from `close()` on. */
  #end: Promise<boolean> | undefined;
  #tellEnd: (ended: boolean) => void = () => {};
  #deadline: NodeJS.Timeout | undefined;

  /** {@link openPipeline} makes one. */
  constructor(addon: NativeVideo, options: OpenPipelineOptions) {
    this.#options = options;
    this.#native = addon;
    const { description, elements = [], v4l2Device = '' } = options;
    this.#handle = addon.open(description, elements.join(','), v4l2Device, () => this.#woken());
    if (alive.size === 0) process.once('exit', endWithProcess);
    alive.add(this);
  }

  get #closed(): boolean {
    return this.#end !== undefined;
  }

  /** Sets a property of a named element while the pipeline runs; what fails is a `warning` event. */
  set(element: string, property: string, value: string): void {
    if (!this.#closed) this.#native.setProperty(this.#handle, element, property, value);
  }

  /** The next picture is encoded as a keyframe. */
  forceKeyframe(): void {
    if (!this.#closed) this.#native.forceKeyframe(this.#handle);
  }

  /** At most so many pictures a second reach the encoder. */
  limitRate(picturesPerSecond: number): void {
    if (!this.#closed) this.#native.limitRate(this.#handle, picturesPerSecond);
  }

  /** Gives the appsrc `pictures` one; it is copied. False when eight are under way already. */
  push(picture: {
    readonly rgb: Uint8Array;
    readonly width: number;
    readonly height: number;
    readonly ptsNs: number;
  }): boolean {
    const { rgb, width, height, ptsNs } = picture;
    return !this.#closed && this.#native.push(this.#handle, rgb, width, height, ptsNs);
  }

  stats(): PipelineStats {
    return this.#native.stats(this.#handle);
  }

  /**
   * Ends it; from here on it tells nothing. Resolves when its device and its threads are free, a few ms later
   * usually; with false when that did not come by the deadline: a driver hangs, and was left behind.
   * Idempotent: the first deadline counts.
   */
  close({ deadlineMs = closeDeadlineMs }: { readonly deadlineMs?: number } = {}): Promise<boolean> {
    this.#end ??= new Promise((resolve) => {
      this.#tellEnd = resolve;
      this.#native.close(this.#handle);
      this.#deadline = setTimeout(() => this.#giveUp(), deadlineMs);
    });
    return this.#end;
  }

  /**
   * Blocks until it has ended, or 1.5 s after it was closed: for the end of the process alone, which answers
   * nobody any more.
   */
  join(): void {
    this.#native.join(this.#handle);
    this.#gone(true);
  }

  #woken(): void {
    if (this.#closed) this.#lookForEnd();
    else this.#drain();
  }

  #lookForEnd(): boolean {
    const ended = this.#native.ended(this.#handle);
    if (ended) this.#gone(true);
    return ended;
  }

  #gone(ended: boolean): void {
    clearTimeout(this.#deadline);
    alive.delete(this);
    if (alive.size === 0) process.off('exit', endWithProcess);
    this.#tellEnd(ended);
  }

  #giveUp(): void {
    // It may have ended while this process itself was held up.
    if (this.#lookForEnd()) return;
    this.#native.abandon(this.#handle);
    this.#gone(false);
  }

  #drain(): void {
    const { units, events } = this.#native.drain(this.#handle);
    for (const event of events) {
      if (!this.#closed) this.#options.onEvent(event);
    }
    for (const unit of units) {
      if (!this.#closed) this.#options.onUnit(unit);
    }
  }
}

/** Starts a pipeline; whether it comes up is told by events. Throws VIDEO_NATIVE_MISSING. */
export function openPipeline(options: OpenPipelineOptions): Pipeline {
  return new Pipeline(nativeVideo(), options);
}

/** Which of these element factories GStreamer has here; undefined when it does not say in time. */
export function presentElements(
  names: readonly string[],
): Promise<ReadonlySet<string> | undefined> {
  return new Promise((resolve) => {
    const finish = (present: ReadonlySet<string> | undefined) => {
      clearTimeout(timer);
      // One that hangs has no device, and holds up nobody.
      void pipeline.close();
      resolve(present);
    };
    const pipeline = openPipeline({
      description: '',
      elements: names,
      onUnit() {},
      onEvent({ name, text }) {
        if (name === 'elements') finish(new Set(text.split(',')));
      },
    });
    const timer = setTimeout(() => finish(undefined), elementsDeadlineMs);
  });
}

/** For the log. */
export function gstreamerVersion(): string {
  return nativeVideo().gstreamerVersion;
}
