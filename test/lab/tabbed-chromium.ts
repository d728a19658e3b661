import { once } from 'node:events';
import { createServer } from 'node:net';
import { chromium, type Page } from 'playwright-core';
import { type LabBrowser, type LabBrowserOptions, launchOptions } from './chromium.ts';

/**
 * A browser as a person has it: its pages are tabs of one window, of which the one in front hides the
 * others, and those are throttled. Playwright has every page that it makes itself believe to be looked at
 * (Emulation.setFocusEmulationEnabled); here it only attaches, without its defaults.
 */
export interface TabbedBrowser extends LabBrowser {
  /** Puts another tab in front of all that are open; resolves to it. */
  cover(): Promise<Page>;
}

/** What Playwright gives Chromium so that hidden pages are not throttled. */
const unthrottledFlags = [
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
];

/** Starts it; fails when it does not start within 30 s. `newPage()` opens a tab in front, all in one profile. */
export async function startTabbedChromium(options: LabBrowserOptions): Promise<TabbedBrowser> {
  const port = await freePort();
  const launch = launchOptions(options);
  const launched = await chromium.launch({
    ...launch,
    args: [...(launch.args ?? []), `--remote-debugging-port=${port}`],
    ignoreDefaultArgs: [...launch.ignoreDefaultArgs, ...unthrottledFlags],
  });
  try {
    const attached = await chromium.connectOverCDP(`http://127.0.0.1:${port}`, {
      noDefaults: true,
    });
    const [context] = attached.contexts();
    if (context === undefined) throw new Error('the browser has no window');
    const newPage = (): Promise<Page> => context.newPage();
    return {
      newPage,
      async cover() {
        const page = await newPage();
        await page.bringToFront();
        return page;
      },
      async close() {
        await attached.close();
        await launched.close();
      },
    };
  } catch (error) {
    await launched.close();
    throw error;
  }
}

/** A TCP port of this machine that nobody listened on a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
