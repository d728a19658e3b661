import { randomFillSync } from 'node:crypto';
import type { XScreen } from './x-screen.ts';

/** Grain around a middle grey: an encoder can spend any bitrate on it, and leave it out where it has none. */
const grey = 128;
const grain = 32;
const bytesPerPixel = 4;

/**
 * A host whose whole screen changes all the time, and never repeats: fine grain, as of a film. What an
 * encoder makes of it is as large as it is allowed to be.
 */
export class GrainyPicture {
  readonly #screen: XScreen;
  readonly #pictureBytes: number;
  readonly #everyMs: number;
  /** Pictures are cut out of it at any pixel. */
  readonly #grain: Buffer;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: {
    readonly screen: XScreen;
    readonly width: number;
    readonly height: number;
    readonly framesPerSecond: number;
  }) {
    const { screen, width, height, framesPerSecond } = options;
    this.#screen = screen;
    this.#pictureBytes = width * height * bytesPerPixel;
    this.#everyMs = 1_000 / framesPerSecond;
    this.#grain = grainOf(2 * width * height);
  }

  start(): void {
    this.#timer = setInterval(() => this.#paint(), this.#everyMs);
  }

  /** Idempotent. */
  stop(): void {
    clearInterval(this.#timer);
  }

  #paint(): void {
    const pixels = (this.#grain.length - this.#pictureBytes) / bytesPerPixel;
    const start = Math.floor(Math.random() * pixels) * bytesPerPixel;
    const picture = this.#grain.subarray(start, start + this.#pictureBytes);
    this.#screen.paintPixels({ from: 0, pixels: picture });
  }
}

function grainOf(pixels: number): Buffer {
  const random = randomFillSync(Buffer.alloc(pixels));
  const bytes = Buffer.alloc(pixels * bytesPerPixel);
  for (const [index, value] of random.entries()) {
    const level = grey + Math.round((value / 255 - 0.5) * grain);
    bytes.fill(level, index * bytesPerPixel, (index + 1) * bytesPerPixel);
  }
  return bytes;
}
