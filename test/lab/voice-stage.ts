import type { Card } from './card-delay.ts';
import { type LabBrowser, type LabBrowserOptions, startChromium } from './chromium.ts';
import { startSoundServer } from './sound-server.ts';
import { startTabbedChromium, type TabbedBrowser } from './tabbed-chromium.ts';

/**
 * The two ends of the way back: a viewer's browser whose microphone is a sound card, and a host that
 * records from another. Each end is a sound server of its own.
 */
export interface VoiceStage {
  /** What is played into it is what the browser's microphone hears. */
  readonly voice: Card;
  /** What the host's programs record: the microphone that the device plays into. */
  readonly hostMicrophone: Card;
  /** What the host plays. */
  readonly host: Card;
  readonly browser: LabBrowser | TabbedBrowser;
  /** Has `stop` called by close(), before what was started earlier. */
  defer(stop: () => Promise<void>): void;
  /** Ends everything, in reverse order; throws the first fault after all were tried. */
  close(): Promise<void>;
}

export interface VoiceStageOptions extends Omit<LabBrowserOptions, 'card'> {
  /** The browser is a {@link TabbedBrowser}. False by default. */
  readonly tabbed?: boolean;
}

/** The browser's microphone is the card `voice` unless another is named. */
export async function startVoiceStage({
  microphone = 'card',
  tabbed = false,
  ...options
}: VoiceStageOptions = {}): Promise<VoiceStage> {
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
    const hostServer = await startSoundServer({ sinks: [{ name: 'hdmi' }, { name: 'mic' }] });
    defer(() => hostServer.stop());
    const deskServer = await startSoundServer({
      sinks: [{ name: 'browser' }, { name: 'voice', isMicrophone: true }],
    });
    defer(() => deskServer.stop());
    const start = tabbed ? startTabbedChromium : startChromium;
    const browser = await start({
      ...options,
      card: { server: deskServer, sink: 'browser' },
      microphone,
    });
    defer(() => browser.close());
    return {
      voice: { server: deskServer, sink: 'voice' },
      hostMicrophone: { server: hostServer, sink: 'mic' },
      host: { server: hostServer, sink: 'hdmi' },
      browser,
      defer,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
