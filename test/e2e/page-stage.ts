import type { Browser, Page } from 'playwright-core';
import { launchChromium, PageLab, type ViewerRecord } from './page-lab.ts';
import { playing, type VisitOptions, visit } from './page-visit.ts';

/** A device with its page, and a browser of the lab to open it in. */
export interface PageStage {
  readonly browser: Browser;
  readonly lab: PageLab;
  /** Opens the page as `visit` does, in this browser unless another is named. */
  visit(
    use: (page: Page) => Promise<void>,
    options?: Partial<Pick<VisitOptions, 'browser' | 'context'>>,
  ): Promise<void>;
  /** The session of a page, once its sound plays; the newest there is. */
  playing(page: Page): Promise<ViewerRecord>;
  /** Ends both. */
  stop(): Promise<void>;
}

/** Starts it; with a picture in its offers when that is asked for. */
export async function startPageStage({ picture = false } = {}): Promise<PageStage> {
  const browser = await launchChromium({ autoplay: true });
  try {
    const lab = await PageLab.start(browser);
    if (picture) await lab.showPicture();
    return {
      browser,
      lab,
      visit: (use, options = {}) => visit({ lab, browser, ...options }, use),
      playing: (page) => playing(lab, page),
      async stop() {
        try {
          await lab.stop();
        } finally {
          await browser.close();
        }
      },
    };
  } catch (error) {
    await browser.close();
    throw error;
  }
}
