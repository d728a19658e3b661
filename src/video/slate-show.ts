import type { PictureEncoder } from './picture-encoder.ts';
import { within } from './pipelines.ts';
import { drawSlate } from './slate.ts';
import type { EffectiveVideoConfig } from './video-config.ts';

export interface SlateShowOptions {
  readonly encoder: Pick<
    PictureEncoder<{ readonly drawnNs: bigint }>,
    'encode' | 'forceKeyframe' | 'close'
  >;
  readonly nowMs: () => number;
  /** CLOCK_MONOTONIC, as frames are stamped. */
  readonly nowNs: () => bigint;
}

/** Two pictures a second: alive to a person, and little work. */
export const slateIntervalMs = 500;

const usualSize = { width: 1_280, height: 720 } as const;

/** Shows the slate instead of the host's picture, for as long as there is none. */
export class SlateShow {
  readonly #options: SlateShowOptions;
  #size: { readonly width: number; readonly height: number } = usualSize;
  #sinceMs: number | undefined;
  #title = '';

  constructor(options: SlateShowOptions) {
    this.#options = options;
  }

  /** The size of the host's picture: a slate like it is no change of size for a viewer. */
  setSize(size: { readonly width: number; readonly height: number }): void {
    this.#size = size;
  }

  /** Draws the next one; the first of a row is a keyframe, and begins to count its time. */
  show(title: string, limits: Pick<EffectiveVideoConfig, 'maxWidth' | 'maxHeight'>): void {
    const { encoder, nowMs, nowNs } = this.#options;
    if (title !== this.#title) this.#sinceMs = undefined;
    this.#title = title;
    this.#sinceMs ??= nowMs();
    const elapsedMs = nowMs() - this.#sinceMs;
    const picture = drawSlate(within(this.#size, limits), { title, elapsedMs });
    encoder.encode({ ...picture, durationMs: slateIntervalMs, about: { drawnNs: nowNs() } });
  }

  /** A viewer lacks a picture to begin with: the next one is whole. */
  forceKeyframe(): void {
    this.#options.encoder.forceKeyframe();
  }

  /** There is a picture again, or nobody watches. */
  end(): void {
    this.#sinceMs = undefined;
    this.#options.encoder.close();
  }
}
