import { setTimeout as delay } from 'node:timers/promises';
import type { Viewer } from './stage.ts';
import type { XScreen } from './x-screen.ts';

/** The rows that change: in the middle of a screen of 720. */
const band = { from: 296, count: 128 } as const;
const deadlineMs = 20_000;

/** Measures from the host's screen to the displayed picture: rows turn bright or dark, and the browser says when it shows it. */
export class FlashLab {
  readonly #screen: XScreen;
  readonly #viewer: Viewer;

  constructor({ screen, viewer }: { readonly screen: XScreen; readonly viewer: Viewer }) {
    this.#screen = screen;
    this.#viewer = viewer;
  }

  /** Resolves when the page shows pictures. Throws when it does not within 20 s. */
  async start(): Promise<void> {
    const { probe } = this.#viewer;
    this.#screen.paint({ ...band, rgb: 0x000000 });
    await this.#until('a video element', () => probe.watchFlashes());
    await this.#until('ten pictures', async () => (await probe.picturesSeen()) > 10);
  }

  /** How long each of so many flashes took to be shown, ms. */
  async measure(flashes: number): Promise<number[]> {
    const { probe } = this.#viewer;
    await probe.takeFlashes();
    const delaysMs: number[] = [];
    for (let n = 0; n < flashes; n += 1) {
      const bright = n % 2 === 0;
      const paintedMs = performance.timeOrigin + performance.now();
      this.#screen.paint({ ...band, rgb: bright ? 0xffffff : 0x000000 });
      let seenMs = Number.NaN;
      await this.#until('the flash', async () => {
        const seen = (await probe.takeFlashes()).find((flash) => flash.bright === bright);
        if (seen !== undefined) seenMs = seen.unixMs;
        return seen !== undefined;
      });
      delaysMs.push(seenMs - paintedMs);
      // In no step with the pictures.
      await delay(200 + ((n * 37) % 100));
    }
    if (flashes % 2 === 1) this.#screen.paint({ ...band, rgb: 0x000000 });
    return delaysMs;
  }

  async #until(what: string, condition: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + deadlineMs;
    while (!(await condition())) {
      if (performance.now() > deadline) throw new Error(`${what}: not within ${deadlineMs} ms`);
      await delay(20);
    }
  }
}
