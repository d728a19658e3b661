import type { Page } from 'playwright-core';
import type { PresetName } from '../../src/audio/presets.ts';
import type { LabBrowser } from './chromium.ts';
import type { EarshotProcess } from './earshot-process.ts';

export interface SpeakingPageOptions {
  readonly browser: LabBrowser;
  readonly earshot: EarshotProcess;
  /** The microphone's preset; as it is by default. */
  readonly quality?: PresetName;
}

const deadlineMs = 20_000;

/**
 * Opens Earshot's page as a person would, chooses raw sound, and turns the microphone on; resolves
 * when the device says that the host hears it.
 */
export async function openSpeakingPage({
  browser,
  earshot,
  quality,
}: SpeakingPageOptions): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(earshot.url);
  await page.getByRole('checkbox', { name: 'Raw sound' }).check();
  const voice = page.getByRole('group', { name: 'Voice quality' });
  if (quality !== undefined) await voice.getByRole('radio', { name: quality }).check();
  await page.getByRole('button', { name: 'Turn on' }).click();
  await earshot.until(async () => (await earshot.status()).microphone.live, {
    what: 'live microphone',
    deadlineMs,
  });
  return page;
}
