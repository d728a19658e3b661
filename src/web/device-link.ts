import type {
  ChildStatusBody,
  Devices,
  MicrophoneQuality,
  MicrophoneStatus,
  Mute,
  Quality,
} from '../api/schema.ts';
import type { PresetName } from '../audio/presets.ts';
import { api } from './api.ts';
import { EventStream } from './events.ts';
import { OptimisticSetting } from './optimistic-setting.ts';
import type { PageMicrophoneState, PageState } from './page-state.ts';
import { secureAddress } from './secure-address.ts';
import type { Store } from './store.ts';

export interface DeviceLinkOptions {
  readonly store: Store<PageState>;
  readonly backoff: () => Iterator<number>;
  /** How the microphone stands at the device, whoever holds it. */
  readonly onMicrophone: (status: MicrophoneStatus) => void;
  readonly onMicrophoneQuality: (quality: MicrophoneQuality) => void;
  /** Each new source of the device's events. */
  readonly onSource: (source: EventSource) => void;
}

/** What the device says of itself (its events, and answers to the page's questions), and its settings. */
export class DeviceLink {
  readonly quality: OptimisticSetting<PresetName, Quality>;
  readonly mute: OptimisticSetting<boolean, Mute>;
  readonly captureDevice: OptimisticSetting<string, Devices>;
  readonly microphoneQuality: OptimisticSetting<PresetName, MicrophoneQuality>;
  readonly microphoneDevice: OptimisticSetting<string, Devices>;
  readonly #options: DeviceLinkOptions;
  readonly #events: EventStream;

  constructor(options: DeviceLinkOptions) {
    this.#options = options;
    this.quality = new OptimisticSetting({
      request: api.setQuality,
      onChange: (quality) => this.#set({ quality }),
    });
    this.mute = new OptimisticSetting({
      request: api.setMute,
      onChange: (deviceMute) => this.#set({ deviceMute }),
    });
    this.captureDevice = new OptimisticSetting({
      request: api.setDevice,
      onChange: (device) => this.#set({ device }),
    });
    this.microphoneQuality = new OptimisticSetting({
      request: api.setMicrophoneQuality,
      onChange: (quality) => {
        this.#setMicrophone({ quality });
        if (quality.known !== undefined) options.onMicrophoneQuality(quality.known);
      },
    });
    this.microphoneDevice = new OptimisticSetting({
      request: api.setMicrophoneDevice,
      onChange: (device) => this.#setMicrophone({ device }),
    });
    this.#events = this.#createEvents();
  }

  start(): void {
    this.#events.start();
  }

  stop(): void {
    this.#events.stop();
  }

  #createEvents(): EventStream {
    return new EventStream({
      url: '/api/v1/events',
      backoff: this.#options.backoff,
      onOpen: () => {
        this.#set({ live: true });
        this.#refresh();
      },
      onLost: () => this.#set({ live: false }),
      onSource: this.#options.onSource,
      handlers: {
        'audio-quality-changed': (known) => this.quality.received(known),
        'audio-mute-changed': (known) => {
          this.mute.received(known);
          const { audio } = this.#options.store.value;
          if (audio !== undefined) this.#set({ audio: { ...audio, ...known } });
        },
        'audio-device-changed': ({ device, state, error }) => {
          const { audio } = this.#options.store.value;
          if (audio === undefined) return;
          this.#set({ audio: { ...audio, device, deviceState: state, deviceError: error } });
          const { known } = this.captureDevice.state;
          if (known !== undefined) this.captureDevice.received({ ...known, current: device });
          this.#listCaptureDevices();
        },
        'audio-metrics-update': (audio) => this.#set({ audio }),
        'audio-process-metrics': (child) => this.#receivedChild(child),
        'microphone-state-changed': (status) => this.#receivedMicrophone(status),
        'microphone-quality-changed': (known) => this.microphoneQuality.received(known),
        'microphone-metrics-update': (metrics) => this.#setMicrophone({ metrics }),
        'microphone-process-metrics': (child) => this.#receivedChild(child),
        'video-state-changed': (video) => this.#set({ video }),
        'video-metrics-update': (video) => this.#set({ video }),
        'video-process-metrics': (child) => this.#receivedChild(child),
      },
    });
  }

  /**
   * Asks for what the page shows and no event says. The stream begins with all the rest; an answer, which
   * comes another way, may be older than the events that came meanwhile.
   */
  #refresh(): void {
    void ask(api.status, ({ version, https }) => {
      this.#set({ version, httpsUrl: secureAddress(https, location) });
    });
    this.#listCaptureDevices();
    this.#listMicrophoneDevices();
  }

  #listCaptureDevices(): void {
    void ask(api.devices, ({ devices, current }) => {
      const { audio } = this.#options.store.value;
      this.captureDevice.received({ devices, current: audio?.device ?? current });
    });
  }

  #listMicrophoneDevices(): void {
    void ask(api.microphoneDevices, ({ devices, current }) => {
      const { status } = this.#options.store.value.microphone;
      this.microphoneDevice.received({ devices, current: status?.device ?? current });
    });
  }

  #receivedMicrophone(status: MicrophoneStatus): void {
    const { known } = this.#options.store.value.microphone.device;
    this.#setMicrophone({ status });
    this.#options.onMicrophone(status);
    if (known === undefined) return;
    // Said even when it is known: an answer that is still on its way is then known to be older.
    this.microphoneDevice.received({ ...known, current: status.device });
    if (!known.devices.some(({ id }) => id === status.device)) {
      this.#listMicrophoneDevices();
    }
  }

  #receivedChild(child: ChildStatusBody): void {
    const { children } = this.#options.store.value;
    this.#set({ children: { ...children, [child.name]: child } });
  }

  #set(change: Partial<PageState>): void {
    this.#options.store.update((state) => ({ ...state, ...change }));
  }

  #setMicrophone(change: Partial<PageMicrophoneState>): void {
    this.#set({ microphone: { ...this.#options.store.value.microphone, ...change } });
  }
}

/** Events that come later say the same again, so an answer that fails costs nothing but time. */
async function ask<T>(request: () => Promise<T>, received: (answer: T) => void): Promise<void> {
  try {
    received(await request());
  } catch {
    // The state strip says what is wrong with the connection; the next opening of the events asks again.
  }
}
