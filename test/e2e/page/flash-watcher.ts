/** A change of the picture's brightness between dark and bright. */
export interface SeenFlash {
  /** When the browser showed the first picture with it, ms of the Unix epoch. */
  readonly unixMs: number;
  readonly bright: boolean;
}

/** Pixels looked at, side of a square at half its height; a screen's pointer rests in the middle. */
const spot = 8;
const maxKept = 1_000;

/** Looks at every picture that a video element shows, and notes when it turns bright or dark. */
export class FlashWatcher {
  readonly #seen: SeenFlash[] = [];
  #bright: boolean | undefined;
  #pictures = 0;

  /** Watches this element from now on. */
  watch(video: HTMLVideoElement): void {
    const canvas = new OffscreenCanvas(spot, spot);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    if (context === null) throw new Error('no canvas');
    const look = (_now: number, { expectedDisplayTime }: VideoFrameCallbackMetadata): void => {
      video.requestVideoFrameCallback(look);
      const [left, top] = [video.videoWidth / 4, (video.videoHeight - spot) / 2];
      context.drawImage(video, left, top, spot, spot, 0, 0, spot, spot);
      const { data } = context.getImageData(0, 0, spot, spot);
      let sum = 0;
      for (let at = 0; at < data.length; at += 4) sum += data[at + 1] ?? 0;
      this.#note(sum / (spot * spot) > 128, performance.timeOrigin + expectedDisplayTime);
    };
    video.requestVideoFrameCallback(look);
  }

  /** Pictures seen so far. */
  get pictures(): number {
    return this.#pictures;
  }

  /** The changes since the last call, oldest first. */
  take(): SeenFlash[] {
    return this.#seen.splice(0);
  }

  #note(bright: boolean, unixMs: number): void {
    this.#pictures += 1;
    if (bright === this.#bright) return;
    const isFirst = this.#bright === undefined;
    this.#bright = bright;
    if (!isFirst && this.#seen.length < maxKept) this.#seen.push({ unixMs, bright });
  }
}
