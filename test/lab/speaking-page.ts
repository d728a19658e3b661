import type { Page } from 'playwright-core';
import type { PresetName } from '../../src/audio/presets.ts';
import type { Latency } from '../../src/web/lane-chooser.ts';
import type { LabBrowser } from './chromium.ts';
import type { EarshotProcess } from './earshot-process.ts';
import { preferLatency } from './lanes.ts';

export interface SpeakingPageOptions {
  readonly browser: LabBrowser;
  readonly earshot: EarshotProcess;
  /** The microphone's preset; as it is by default. */
  readonly quality?: PresetName;
  /**
   * `raw` by default. `echo-cancelled`: without noise suppression and gain control, which take the lab's
   * tones for noise; the browser then hands over sound every 10 ms, and raw sound every 21.
   */
  readonly sound?: 'raw' | 'echo-cancelled';
  /** What the page is asked to play of the host's sound; as by default (`auto`). */
  readonly latency?: Latency;
}

const deadlineMs = 20_000;

/**
 * Opens Earshot's page as a person would, chooses what is done to the sound, and turns the microphone
 * on; resolves when the device says that the host hears it.
 */
export async function openSpeakingPage({
  browser,
  earshot,
  quality,
  sound = 'raw',
  latency = 'auto',
}: SpeakingPageOptions): Promise<Page> {
  const page = await browser.newPage();
  await preferLatency(page, latency);
  await page.goto(earshot.url);
  if (sound === 'raw') {
    await page.getByRole('checkbox', { name: 'Raw sound' }).check();
  } else {
    await page.getByRole('checkbox', { name: 'Noise suppression' }).uncheck();
    await page.getByRole('checkbox', { name: 'Automatic gain' }).uncheck();
  }
  const voice = page.getByRole('group', { name: 'Voice quality' });
  if (quality !== undefined) await voice.getByRole('radio', { name: quality }).check();
  await page.getByRole('button', { name: 'Turn on' }).click();
  await earshot.until(async () => (await earshot.status()).microphone.live, {
    what: 'live microphone',
    deadlineMs,
  });
  return page;
}
