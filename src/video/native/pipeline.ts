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
  /** A V4L2 device whose signal is watched; the pipeline is launched only when it has one. */
  readonly v4l2Device?: string | undefined;
  readonly onUnit: (unit: Unit) => void;
  readonly onEvent: (event: Event) => void;
}

/**
 * How long closing waits for a pipeline; one that a driver holds is then left alone. A v4l2src that was just
 * told of another signal first asks for all formats anew. The process answers nobody meanwhile, and a main
 * process misses it after three seconds.
 */
const closeDeadlineMs = 2_000;

/** Looking for elements reads GStreamer's registry, which it makes anew when plugins changed. */
const elementsDeadlineMs = 3_000;

export class Pipeline {
  readonly #options: OpenPipelineOptions;
  readonly #native: NativeVideo;
  readonly #handle: object;
  #closed = false;

  /** {@link openPipeline} makes one. */
  constructor(addon: NativeVideo, options: OpenPipelineOptions) {
    this.#options = options;
    this.#native = addon;
    const { description, v4l2Device = '' } = options;
    this.#handle = addon.open(description, '', v4l2Device, () => this.#drain());
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

  /** Ends it; idempotent. A few ms usually; false when a driver hangs and was left behind. */
  close(): boolean {
    if (this.#closed) return true;
    this.#closed = true;
    return this.#native.close(this.#handle, closeDeadlineMs);
  }

  #drain(): void {
    if (this.#closed) return;
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
  const addon = nativeVideo();
  return new Promise((resolve) => {
    const finish = (present: ReadonlySet<string> | undefined) => {
      clearTimeout(timer);
      addon.close(handle, closeDeadlineMs);
      resolve(present);
    };
    const handle = addon.open('', names.join(','), '', () => {
      const answer = addon.drain(handle).events.find(({ name }) => name === 'elements');
      if (answer !== undefined) finish(new Set(answer.text.split(',')));
    });
    const timer = setTimeout(() => finish(undefined), elementsDeadlineMs);
  });
}

/** For the log. */
export function gstreamerVersion(): string {
  return nativeVideo().gstreamerVersion;
}
