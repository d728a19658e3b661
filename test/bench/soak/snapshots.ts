import type { Page } from 'playwright-core';
import * as v from 'valibot';
import type { EarshotProcess } from '../../lab/earshot-process.ts';
import type { Snapshot } from './attribution.ts';

/** Every number there is of Earshot (its metrics, by their names with labels) and of the page, at one moment. */
export async function takeSnapshot(earshot: EarshotProcess, page: Page): Promise<Snapshot> {
  const [metrics, browser] = await Promise.all([metricsOf(earshot.url), browserNumbers(page)]);
  return { atMs: performance.now(), counters: { ...metrics, ...browser } };
}

async function metricsOf(url: string): Promise<Record<string, number>> {
  const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(10_000) });
  return parseMetrics(await response.text());
}

/** Samples of Prometheus's text format by name and labels as they stand. */
export function parseMetrics(text: string): Record<string, number> {
  const samples: Record<string, number> = {};
  for (const line of text.split('\n')) {
    const end = line.lastIndexOf(' ');
    if (!line.startsWith('#') && end > 0) samples[line.slice(0, end)] = Number(line.slice(end + 1));
  }
  return samples;
}

/**
 * What the browser says of the sound it plays (`inbound`, and `playout` where its own output ran dry; `fast` of
 * the fast lane), of the
 * sound it sends (`outbound`) and of the microphone it records (`track`: frames delivered and in all).
 */
const askPage = `(async () => {
  const numbers = {};
  const add = (prefix, object) => {
    for (const key in object) {
      if (typeof object[key] === 'number') numbers[prefix + '.' + key] = object[key];
    }
  };
  const prefixes = {
    'inbound-rtp': 'inbound',
    'outbound-rtp': 'outbound',
    'media-playout': 'playout',
    'media-source': 'source',
  };
  (await window.earshot.getStats())?.forEach((entry) => {
    const prefix = prefixes[entry.type];
    if (prefix !== undefined && entry.kind === 'audio') add(prefix, entry);
  });
  add('fast', window.earshot.fastLane.numbers ?? {});
  const { track } = window.earshot.microphone;
  if (track?.stats) {
    const { deliveredFrames, totalFrames } = track.stats;
    add('track', { deliveredFrames, totalFrames, droppedFrames: totalFrames - deliveredFrames });
  }
  return numbers;
})()`;

async function browserNumbers(page: Page): Promise<Record<string, number>> {
  return v.parse(v.record(v.string(), v.number()), await page.evaluate(askPage));
}
