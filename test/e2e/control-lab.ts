import { EventEmitter } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildWeb } from '../../scripts/build-web.ts';
import { ApiServer } from '../../src/api/server.ts';
import type { HidSettings } from '../../src/control/hid/hid-config.ts';
import { HidControl } from '../../src/control/hid/hid-control.ts';
import type {
  HidHost,
  HidHostEvents,
  HostState,
  ReportKind,
} from '../../src/control/hid/hid-host.ts';
import { silentLog } from '../../src/log/log.ts';
import { MediaHub } from '../../src/media/media-hub.ts';
import { mediaService } from '../../src/media/media-service.ts';
import { InMemoryServices } from '../fixtures/in-memory-services.ts';
import { OpusSource } from '../fixtures/opus-source.ts';
import { encodeClip, PictureSource } from '../fixtures/picture-source.ts';
import { videoStatus } from '../fixtures/video-status.ts';

/** A host that takes every report and remembers it. */
export class RecordingHost extends EventEmitter<HidHostEvents> implements HidHost {
  state: HostState = 'attached';
  reason = '';
  readonly reports: { readonly kind: ReportKind; readonly bytes: readonly number[] }[] = [];
  wakes = 0;

  async write(kind: ReportKind, report: Uint8Array): Promise<boolean> {
    if (this.state !== 'attached') return false;
    this.reports.push({ kind, bytes: [...report] });
    return true;
  }

  async wake(): Promise<boolean> {
    this.wakes += 1;
    this.become('attached');
    return true;
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

  become(state: HostState, reason = ''): void {
    this.state = state;
    this.reason = reason;
    this.emit('state', state, reason);
  }

  setLeds(mask: number): void {
    this.emit('leds', mask);
  }

  /** What the reports of a kind said, one after the other. */
  of(kind: ReportKind): (readonly number[])[] {
    return this.reports.filter((report) => report.kind === kind).map(({ bytes }) => bytes);
  }

  /** The keys that were held, report by report: usages, modifiers among them. */
  get keys(): number[][] {
    return this.of('keyboard').map(([modifiers = 0, , ...usages]) => [
      ...Array.from({ length: 8 }, (_, bit) => 0xe0 + bit).filter(
        (_, bit) => (modifiers & (1 << bit)) !== 0,
      ),
      ...usages.filter((usage) => usage !== 0),
    ]);
  }

  forget(): void {
    this.reports.length = 0;
  }
}

/**
 * A device with the real media path, keyboard and mouse, serial console and power, behind the real server
 * and page; only the host, its line and its buttons are in memory.
 */
export class ControlLab {
  readonly memory = new InMemoryServices();
  readonly host = new RecordingHost();
  readonly hid: HidControl;
  readonly hub: MediaHub;
  readonly #directory: string;
  readonly #server: ApiServer;
  readonly #source: OpusSource;
  readonly #picture: PictureSource | undefined;

  private constructor(directory: string, clip: readonly Buffer[] | undefined) {
    this.#directory = directory;
    const { memory } = this;
    let settings: HidSettings = { jiggler: { enabled: false, seconds: 60 }, macros: [] };
    this.hid = new HidControl({
      config: { wakeOnInput: true, layout: 'us' },
      host: this.host,
      settings: {
        current: () => settings,
        replace: async (next) => {
          settings = next;
        },
      },
      log: silentLog,
    });
    this.hid.on('status', (status) => memory.emit('hid-state-changed', status));
    this.hub = new MediaHub({
      config: {
        ...{ iceServers: [], udpPortMin: 0, udpPortMax: 0, maxViewers: 4 },
        addresses: ['127.0.0.1'],
      },
      hid: { open: (session, link) => this.hid.openViewer(session, link) },
      log: silentLog,
    });
    this.#source = new OpusSource({
      publish: (frame) => this.hub.publishAudio(frame),
      frameMs: 20,
    });
    if (clip !== undefined) {
      this.hub.setVideo({ codec: 'vp8' });
      const picture = new PictureSource({
        publish: (frame) => this.hub.publishVideo(frame),
        codec: 'vp8',
        clip,
      });
      this.hub.on('keyframe-wanted', () => picture.requestKeyframe());
      this.#picture = picture;
      memory.picture = videoStatus();
    }
    const { audio, microphone, video, children, logs, sync, trace, events, metrics } = memory;
    const { serial, power } = memory;
    const { hid } = this;
    this.#server = new ApiServer({
      listen: '127.0.0.1',
      port: 0,
      https: { port: 0, certificate: '', key: '' },
      dataDir: directory,
      allowedHosts: [],
      controlSocket: join(directory, 'control.sock'),
      webRoot: join(directory, 'web'),
      services: {
        ...{ audio, microphone, video, children, logs, sync, trace, events, metrics },
        ...{ serial, power, hid },
        media: mediaService(this.hub, []),
      },
      log: silentLog,
      version: '0.0.0-lab',
    });
  }

  static async start({ picture = false } = {}): Promise<ControlLab> {
    const directory = await mkdtemp(join(tmpdir(), 'earshot-control-'));
    await buildWeb({ outDir: join(directory, 'web'), minify: true });
    const lab = new ControlLab(directory, picture ? await encodeClip('vp8', 60) : undefined);
    await lab.hub.start();
    await lab.hid.start();
    lab.memory.serial.start();
    lab.memory.power.start();
    lab.#source.start();
    lab.#picture?.start();
    await lab.#server.start();
    return lab;
  }

  get url(): string {
    return this.#server.url();
  }

  async stop(): Promise<void> {
    this.#source.stop();
    this.#picture?.stop();
    await this.#server.stop();
    await this.hub.stop();
    await this.hid.stop();
    await this.memory.serial.stop();
    await this.memory.power.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
