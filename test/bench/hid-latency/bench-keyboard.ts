import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import * as v from 'valibot';
import { hidStatusSchema } from '../../../src/api/hid-schema.ts';
import { type EarshotProcess, startEarshot } from '../../lab/earshot-process.ts';
import { pageClockOffset } from '../../lab/page-clock.ts';
import type { Stage } from '../../lab/stage.ts';
import { round } from '../bench.ts';

/** A page whose keyboard goes to a host, at an Earshot of its own, so that its figures begin anew. */

export type Carrier = 'channel' | 'socket';

const deadlineMs = 20_000;

export class BenchKeyboard {
  /** How far the page's clock and this process's may be apart, ms. */
  readonly clockErrorMs: number;
  readonly #earshot: EarshotProcess;
  readonly #page: Page;
  readonly #offsetMs: number;
  #presses = 0;

  private constructor(
    earshot: EarshotProcess,
    page: Page,
    clock: { readonly offsetMs: number; readonly errorMs: number },
  ) {
    this.#earshot = earshot;
    this.#page = page;
    this.#offsetMs = clock.offsetMs;
    this.clockErrorMs = clock.errorMs;
  }

  /** `host` as in `hid.host`. */
  static async open(options: {
    readonly stage: Stage;
    readonly host: string;
    readonly carrier: Carrier;
  }): Promise<BenchKeyboard> {
    const { stage, host, carrier } = options;
    const earshot = await startEarshot({ card: stage.host, config: { hid: { host } } });
    try {
      const page = await stage.browser.newPage();
      await prepare(page, earshot, carrier);
      return new BenchKeyboard(earshot, page, await pageClockOffset(page));
    } catch (error) {
      await earshot.stop();
      throw error;
    }
  }

  /** Presses A and lets it go; ms from the browser's time of the event to when `seen` says it was seen. */
  async press(seen: () => Promise<number>): Promise<number> {
    const seeing = seen();
    await this.#page.keyboard.down('a');
    const seenMs = await seeing;
    const pressedMs = Number(await this.#page.evaluate('window.benchPressedMs'));
    await this.#page.keyboard.up('a');
    // In no step with the page's pictures.
    this.#presses += 1;
    await delay(30 + ((this.#presses * 37) % 50));
    return seenMs - (pressedMs + this.#offsetMs);
  }

  /** The device's own figure, from the event to the write, ms. */
  async written(): Promise<{ readonly p50: number; readonly p95: number }> {
    const answer = await fetch(`${this.#earshot.url}/api/v1/hid`);
    const { latencyMs } = v.parse(hidStatusSchema, await answer.json());
    return {
      p50: round(latencyMs?.p50 ?? Number.NaN, 2),
      p95: round(latencyMs?.p95 ?? Number.NaN, 2),
    };
  }

  async close(): Promise<void> {
    await this.#page.context().close();
    await this.#earshot.stop();
  }
}

/** Has the keyboard go to the host, on that carrier, and the page note when keys were pressed. */
async function prepare(page: Page, earshot: EarshotProcess, carrier: Carrier): Promise<void> {
  page.setDefaultTimeout(deadlineMs);
  await page.addInitScript(`addEventListener('keydown', (event) => {
    window.benchPressedMs = performance.timeOrigin + event.timeStamp;
  }, true);`);
  if (carrier === 'socket') {
    await page.addInitScript(`{
      const make = RTCPeerConnection.prototype.createDataChannel;
      RTCPeerConnection.prototype.createDataChannel = function (label, options) {
        if (label.startsWith('earshot-')) throw new TypeError('not today');
        return make.call(this, label, options);
      };
    }`);
  }
  await page.goto(earshot.url);
  const card = page.getByRole('region', { name: 'Keyboard and mouse', exact: true });
  await card.getByText('Host ready').waitFor();
  if (carrier === 'socket') await card.getByText('By WebSocket').waitFor();
  await page.getByRole('region', { name: 'In place of the host’s picture' }).click();
  await card.getByText('Keyboard goes to the host').waitFor();
  // The page has to know the device's clock for the figure of the write.
  await delay(1_000);
}
