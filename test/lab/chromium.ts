import { type Browser, chromium, type Page } from 'playwright-core';
import type { Card } from './card-delay.ts';
import {
  autoplayFlag,
  chromiumLaunch,
  fakeConsentFlag,
  fakeMicrophoneFlags,
} from './chromium-launch.ts';
import type { NetworkSide } from './netns.ts';

/** A real browser with a sound card of the lab, no screen, and a profile of its own. */

export interface LabBrowser {
  /** Opens a page in a fresh context. */
  newPage(): Promise<Page>;
  /** Ends the browser and every process of it, and removes its profile; idempotent. */
  close(): Promise<void>;
}

export interface LabBrowserOptions {
  /** What the browser plays into: the server's only device. */
  readonly card: Card;
  /** WAV file that is the browser's microphone, or `card`: the microphone of the card's server. Without, it beeps. */
  readonly microphone?: string;
  /** More switches of Chromium's. */
  readonly args?: readonly string[];
  /** The network it is in; this machine's own by default. Not for a tabbed browser, which is reached over TCP. */
  readonly side?: NetworkSide;
}

/** Starts Debian's Chromium; `CHROMIUM` names another. Fails when it does not start within 30 s. */
export async function startChromium(options: LabBrowserOptions): Promise<LabBrowser> {
  const launch = launchOptions(options);
  const program = launch.executablePath;
  const executablePath = program && (await options.side?.launcher(program));
  const browser: Browser = await chromium.launch({
    ...launch,
    ...(executablePath && { executablePath }),
  });
  return {
    async newPage() {
      const context = await browser.newContext();
      return await context.newPage();
    },
    async close() {
      await browser.close();
    },
  };
}

/** How Playwright starts a browser of the lab. */
export function launchOptions({ card, microphone, args = [] }: LabBrowserOptions) {
  return {
    ...chromiumLaunch([autoplayFlag, ...microphoneFlags(microphone), ...args]),
    ignoreDefaultArgs: ['--mute-audio'],
    env: { ...inherited(), ...card.server.env, PULSE_SINK: card.server.sinkName(card.sink) },
  };
}

function microphoneFlags(microphone: string | undefined): readonly string[] {
  if (microphone === 'card') return [fakeConsentFlag];
  if (microphone === undefined) return fakeMicrophoneFlags;
  return [...fakeMicrophoneFlags, `--use-file-for-fake-audio-capture=${microphone}`];
}

/** The environment without variables that point at another sound server or screen. */
function inherited(): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && !/^(PULSE_|ALSA_|XDG_RUNTIME_DIR$|DISPLAY$)/.test(name)) {
      result[name] = value;
    }
  }
  return result;
}
