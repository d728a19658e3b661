import { FlashDetector } from './flash-detector.ts';

/** The flash is in the top left fifth; this many pixels each way are looked at of it. */
const fifth = 1 / 5;
const lookedAt = 16;

/** Looks for flashes in what a video element shows. */
export class FlashWatch {
  readonly #detector = new FlashDetector();
  readonly #canvas: CanvasRenderingContext2D | null;

  constructor() {
    const canvas = document.createElement('canvas');
    canvas.width = lookedAt;
    canvas.height = lookedAt;
    this.#canvas = canvas.getContext('2d', { willReadFrequently: true });
  }

  /** Call it for each picture shown; whether a flash begins with this one. */
  look(video: HTMLVideoElement): boolean {
    const { videoWidth, videoHeight } = video;
    if (this.#canvas === null || videoWidth === 0) return false;
    const [width, height] = [videoWidth * fifth, videoHeight * fifth];
    this.#canvas.drawImage(video, 0, 0, width, height, 0, 0, lookedAt, lookedAt);
    return this.#detector.next(this.#canvas.getImageData(0, 0, lookedAt, lookedAt).data);
  }
}
