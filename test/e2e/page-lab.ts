import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright-core';
import * as v from 'valibot';
import { buildWeb } from '../../scripts/build-web.ts';
import { ApiServer } from '../../src/api/server.ts';
import type { MediaService, Services } from '../../src/api/services.ts';
import { silentLog } from '../../src/log/log.ts';
import {
  type DeviceMessage,
  deviceMessageSchema,
  type ViewerMessage,
  viewerMessageSchema,
} from '../../src/media/signaling-messages.ts';
import { InMemoryServices } from '../fixtures/in-memory-services.ts';
import {
  autoplayFlag,
  chromiumLaunch,
  fakeDeviceFlag,
  loopbackFlag,
} from '../lab/chromium-launch.ts';

type Viewer = Parameters<MediaService['openSession']>[0];

/**
 * A name of this machine in the lab's browsers that does not sound like this machine: served over plain
 * HTTP, and no secure context.
 */
export const namedHost = 'earshot.test';

/** How long the end of the lab waits for what its host page was asked. */
const callDeadlineMs = 10_000;

/** A browser of the lab (LAB flags), with or without the leave to play sound unasked. Its microphones are made up; leave to use them is given or refused by its context. */
export function launchChromium({ autoplay }: { readonly autoplay: boolean }): Promise<Browser> {
  const policy = autoplay ? autoplayFlag : '--autoplay-policy=document-user-activation-required';
  return chromium.launch(
    chromiumLaunch([
      policy,
      loopbackFlag,
      fakeDeviceFlag,
      '--disable-features=WebRtcHideLocalIpsWithMdns',
      `--host-resolver-rules=MAP ${namedHost} 127.0.0.1`,
    ]),
  );
}

const heardSchema = v.object({
  packets: v.number(),
  bytes: v.number(),
  energy: v.number(),
  ssrc: v.number(),
});

/** What came of a viewer's microphone since its peer connection was made. */
export type Heard = v.InferOutput<typeof heardSchema>;

/** One viewer's session as the device's side sees it. */
export interface ViewerRecord {
  readonly viewer: Viewer;
  readonly received: ViewerMessage[];
  closed: boolean;
}

/**
 * Earshot's real server and page over in-memory services, with a media peer that lives in a browser
 * page of its own.
 */
export class PageLab {
  readonly memory = new InMemoryServices();
  readonly viewers: ViewerRecord[] = [];
  /** So many more sessions are ended right after their offer. */
  cuts = 0;
  /** A restart of ICE that is asked for gets its offer. */
  answersRestarts = true;
  readonly #directory: string;
  readonly #host: Page;
  /** Calls into the host page that it has not answered yet, by what was called. */
  readonly #calls = new Map<Promise<void>, string>();
  readonly #server: ApiServer;

  private constructor(options: { readonly directory: string; readonly host: Page }) {
    this.#directory = options.directory;
    this.#host = options.host;
    const { audio, microphone, video, children, logs, sync, trace, events, metrics } = this.memory;
    const { serial, power } = this.memory;
    microphone.knowsSession = (id) => this.viewers[Number(id)]?.closed === false;
    const services: Services = {
      audio,
      microphone,
      video,
      // Keyboard and mouse are in control-lab.ts, with media that has a way for them.
      hid: undefined,
      serial,
      power,
      children,
      logs,
      sync,
      trace,
      events,
      metrics,
      media: {
        openSession: (viewer) => this.#openSession(viewer),
        fastLane: (session) => this.memory.media.fastLane(session),
        hid: (session) => this.memory.media.hid(session),
        openWhep: (offer) => this.memory.media.openWhep(offer),
        closeWhep: (id) => this.memory.media.closeWhep(id),
        iceServers: () => [],
        sessions: () => [],
      },
    };
    this.#server = new ApiServer({
      listen: '127.0.0.1',
      port: 0,
      https: { port: 0, certificate: '', key: '' },
      dataDir: options.directory,
      allowedHosts: [namedHost],
      controlSocket: join(options.directory, 'control.sock'),
      webRoot: join(options.directory, 'web'),
      services,
      log: silentLog,
      version: '0.0.0-lab',
    });
  }

  static async start(browser: Browser): Promise<PageLab> {
    const directory = await mkdtemp(join(tmpdir(), 'earshot-page-'));
    await buildWeb({ outDir: join(directory, 'web'), minify: true });
    const host = await browser.newPage();
    const lab = new PageLab({ directory, host });
    await lab.#server.start();
    await host.exposeFunction('toViewer', (sessionId: string, text: string) => {
      lab.#toViewer(sessionId, v.parse(deviceMessageSchema, JSON.parse(text)));
    });
    await host.addScriptTag({ content: await hostScript() });
    return lab;
  }

  get url(): string {
    return this.#server.url();
  }

  /** The newest session. */
  get viewer(): ViewerRecord | undefined {
    return this.viewers.at(-1);
  }

  /** Offers have a picture from now on; its calibration's flashes come so much after the chirps. */
  async showPicture({ flashLateMs = 0 } = {}): Promise<void> {
    await this.#host.evaluate(`window.hostShowPicture(${flashLateMs})`);
  }

  /** What the host hears of a session's microphone. */
  async hears(viewer: ViewerRecord): Promise<Heard> {
    const id = JSON.stringify(String(this.viewers.indexOf(viewer)));
    const text: unknown = await this.#host.evaluate(`window.hostHears(${id})`);
    return v.parse(heardSchema, JSON.parse(String(text)));
  }

  async stop(): Promise<void> {
    await this.#server.stop();
    const settled = Promise.all(this.#calls.keys());
    settled.catch(() => undefined);
    const late = delay(callDeadlineMs, 'late', { ref: false });
    if ((await Promise.race([settled, late])) === 'late') {
      // Of a viewer that left in the middle of it: closing the page ends it.
      console.error(`the lab's host never answered ${[...this.#calls.values()].join(', ')}`);
    }
    await this.#host.close();
    await rm(this.#directory, { recursive: true, force: true });
  }

  #toViewer(sessionId: string, message: DeviceMessage): void {
    const record = this.viewers[Number(sessionId)];
    if (record === undefined || record.closed) return;
    record.viewer.send(message);
    if (message.type !== 'webrtc_offer' || this.cuts === 0) return;
    this.cuts -= 1;
    record.viewer.end('cut');
  }

  #openSession(viewer: Viewer): ReturnType<MediaService['openSession']> {
    const record: ViewerRecord = { viewer, received: [], closed: false };
    const id = String(this.viewers.push(record) - 1);
    viewer.send({ type: 'webrtc_config', session_id: id, ice_servers: [] });
    return {
      id,
      receive: (text) => {
        const message = v.parse(viewerMessageSchema, JSON.parse(text));
        record.received.push(message);
        this.#act(id, message);
      },
      close: () => {
        record.closed = true;
        this.memory.microphone.sessionClosed(id);
        this.#call('hostClose', id);
      },
    };
  }

  #act(id: string, message: ViewerMessage): void {
    switch (message.type) {
      case 'webrtc_ready':
      case 'direct_media_reset_request':
        this.#call('hostOffer', id);
        return;
      case 'ice_restart_request':
        if (this.answersRestarts) this.#call('hostRestartIce', id);
        return;
      case 'av_calibration_config':
        this.#call('hostCalibrate', id, message.enabled);
        return;
      case 'webrtc_answer':
      case 'ice_candidate':
        this.#call('hostReceive', id, JSON.stringify(message));
        return;
      case 'client_media_ready':
      case 'av_sync_feedback':
      case 'av_calibration_result':
        return;
    }
  }

  /** Calls a function of the host's page; a failure there fails `stop()`. */
  #call(name: string, ...parameters: readonly (string | boolean | number)[]): void {
    const list = parameters.map((parameter) => JSON.stringify(parameter)).join(',');
    const call = this.#host.evaluate<void>(`window.${name}(${list})`);
    this.#calls.set(call, name);
    call.then(
      () => this.#calls.delete(call),
      () => undefined,
    );
  }
}

async function hostScript(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./page/host-peer.ts', import.meta.url))],
    bundle: true,
    format: 'iife',
    write: false,
  });
  return outputFiles[0]?.text ?? '';
}
