import type { Page } from 'playwright-core';
import type { Latency } from '../../src/web/lane-chooser.ts';
import type { Card } from './card-delay.ts';
import { endRecording, recordRaw } from './card-recorder.ts';
import { type LabBrowser, type LabBrowserOptions, startChromium } from './chromium.ts';
import { preferLatency } from './lanes.ts';
import { type InboundAudio, PageProbe } from './page-probe.ts';
import { startSoundServer } from './sound-server.ts';
import { startTabbedChromium, type TabbedBrowser } from './tabbed-chromium.ts';

/**
 * The two ends of every measurement: a host with a sound card, and a viewer's browser with one of its
 * own. Each card is a sound server of its own, so that one can be killed alone.
 */
export interface Stage {
  readonly host: Card;
  readonly desk: Card;
  readonly browser: LabBrowser | TabbedBrowser;
  /** Has `stop` called by close(), before what was started earlier. */
  defer(stop: () => Promise<void>): void;
  /** Ends everything, in reverse order; throws the first fault after all were tried. */
  close(): Promise<void>;
}

export interface StageOptions extends Omit<LabBrowserOptions, 'card'> {
  /** The browser is a {@link TabbedBrowser}. False by default. */
  readonly tabbed?: boolean;
}

export async function startStage({
  tabbed = false,
  ...options
}: StageOptions = {}): Promise<Stage> {
  const stops: (() => Promise<void>)[] = [];
  const defer = (stop: () => Promise<void>): void => {
    stops.push(stop);
  };
  async function close(): Promise<void> {
    const faults: unknown[] = [];
    for (const stop of stops.splice(0).reverse()) {
      await stop().catch((fault: unknown) => faults.push(fault));
    }
    if (faults.length > 0) throw faults[0];
  }
  try {
    const hostServer = await startSoundServer({ sinks: [{ name: 'hdmi' }] });
    defer(() => hostServer.stop());
    const deskServer = await startSoundServer({ sinks: [{ name: 'browser' }] });
    defer(() => deskServer.stop());
    const desk = { server: deskServer, sink: 'browser' };
    // A sound card has one latency. A null sink's is what those who listen to it ask for: with nobody there
    // it grows by tens of ms, and falls when a measurement begins.
    const listener = recordRaw(deskServer, `${desk.sink}.monitor`);
    listener.stdout.resume();
    defer(() => endRecording(listener));
    const start = tabbed ? startTabbedChromium : startChromium;
    const browser = await start({ ...options, card: desk });
    defer(() => browser.close());
    return { host: { server: hostServer, sink: 'hdmi' }, desk, browser, defer, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A page that receives sound. */
export interface Viewer {
  readonly page: Page;
  readonly probe: PageProbe;
  close(): Promise<void>;
}

export interface ViewerOptions {
  readonly url: string;
  /** Every received packet of the track is recorded. False by default. */
  readonly frames?: boolean;
  /** What the page is asked to play; the track (`steady`) by default, which is what the probe looks at. */
  readonly latency?: Latency;
}

/** Opens a page with the probe at `url`. */
export async function openViewer(
  stage: Pick<Stage, 'browser'>,
  { url, frames = false, latency = 'steady' }: ViewerOptions,
): Promise<Viewer> {
  const page = await stage.browser.newPage();
  const probe = await PageProbe.install(page, { frames });
  await preferLatency(page, latency);
  await page.goto(url);
  return { page, probe, close: () => page.context().close() };
}

/** Waits until `viewer` receives sound and has played some of it. */
export async function sound(viewer: Viewer, deadlineMs = 20_000): Promise<InboundAudio> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const inbound = await viewer.probe.inboundAudio();
    if (inbound !== undefined && inbound.jitterBufferEmittedCount > 0) return inbound;
    if (performance.now() > deadline) {
      const states = await viewer.probe.connectionStates();
      throw new Error(
        `no sound within ${deadlineMs} ms; connections: ${states.join(', ') || 'none'}`,
      );
    }
    await viewer.page.waitForTimeout(50);
  }
}
