import assert from 'node:assert/strict';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { ViewerMessage } from '../../src/media/signaling-messages.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import type { PageLab, ViewerRecord } from './page-lab.ts';

/** A person at the page: opening it, and looking at what it says of itself. */

export interface VisitOptions {
  readonly lab: Pick<PageLab, 'url' | 'memory'>;
  readonly browser: Browser;
  readonly context?: BrowserContextOptions;
  /** What the browser may complain of: it reports each answer that refuses something. */
  readonly expects?: RegExp;
}

/** Opens the page, lets `use` have it, and then finds fault with anything the browser complained of. */
export async function visit(
  { lab, browser, context = {}, expects = /^$/ }: VisitOptions,
  use: (page: Page) => Promise<void>,
): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, ...context });
  page.setDefaultTimeout(20_000);
  const complaints: string[] = [];
  const origins = new Set<string>();
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('request', (request) => origins.add(new URL(request.url()).origin));
  page.on('websocket', (socket) => origins.add(new URL(socket.url()).host));
  try {
    await page.goto(lab.url);
    await use(page);
  } finally {
    await page.close();
    lab.memory.beforeChange = async () => undefined;
  }
  const { origin, host } = new URL(lab.url);
  assert.deepEqual([...origins].sort(), [host, origin].sort(), 'requests stay on the device');
  assert.deepEqual(
    complaints.filter((complaint) => !expects.test(complaint)),
    [],
  );
}

/** A property of `window.earshot`. */
export function look(page: Page, property: string): Promise<unknown> {
  return page.evaluate(`window.earshot?.${property}`);
}

/** The session of a page, once its sound plays; the newest there is. */
export async function playing(lab: PageLab, page: Page): Promise<ViewerRecord> {
  try {
    await waitFor('the page to play', async () => (await look(page, 'playback')) === 'playing');
  } catch (cause) {
    const messages = lab.viewer?.received.map(({ type }) => type).join(' ');
    throw new Error(`${await strip(page).textContent()}: the device got ${messages}`, { cause });
  }
  const viewer = lab.viewer;
  assert.ok(viewer);
  return viewer;
}

/** The first message of a type that a viewer sent. */
export function sent<T extends ViewerMessage['type']>(
  viewer: ViewerRecord,
  type: T,
): Extract<ViewerMessage, { type: T }> | undefined {
  return viewer.received.find(
    (message): message is Extract<ViewerMessage, { type: T }> => message.type === type,
  );
}

export const strip = (page: Page) => page.getByRole('region', { name: 'Connection' });

/** A script: elements whose text has less contrast with what is behind it than WCAG 2.2 asks for (4.5:1). */
export const lowContrast = `(() => {
  const rgb = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = ([r, g, b]) => {
    const linear = [r, g, b].map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = rgb(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll('#page *')]
    .filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim() !== '') && e.getClientRects().length > 0)
    .map((e) => {
      const [a, b] = [luminance(rgb(getComputedStyle(e).color)), luminance(behind(e))];
      return { text: e.textContent.slice(0, 40), ratio: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) };
    })
    .filter(({ ratio }) => ratio < 4.5);
})()`;
