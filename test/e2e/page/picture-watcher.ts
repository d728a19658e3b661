const maxKept = 10_000;

/** Notes when a video element shows a new picture. */
export class PictureWatcher {
  readonly #shownMs: number[] = [];
  #video: HTMLVideoElement | undefined;

  /** Watches this element from now on; again: nothing changes. */
  watch(video: HTMLVideoElement): void {
    if (video === this.#video) return;
    this.#video = video;
    const note = (_now: number, { presentationTime }: VideoFrameCallbackMetadata): void => {
      video.requestVideoFrameCallback(note);
      if (this.#shownMs.length === maxKept) this.#shownMs.shift();
      this.#shownMs.push(performance.timeOrigin + presentationTime);
    };
    video.requestVideoFrameCallback(note);
  }

  /** When pictures were shown since the last call, ms of the Unix epoch, oldest first. */
  take(): number[] {
    return this.#shownMs.splice(0);
  }
}
